import { AppError } from '../errors.js';

/** How long a client that did not read has to read why it is dropped. */
export const DROP_MS = 1000;

/** Why a client is dropped that has not read what it was sent. It may come back and go on after its last frame. */
export function notReadInTime(): AppError {
  return new AppError('timeout', 'What was sent here was not read in time.');
}
