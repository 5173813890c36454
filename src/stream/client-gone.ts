import type { ServerResponse } from 'node:http';
import { AppError } from '../errors.js';

/** Aborts (`stopped`) when the client hangs up before its reply is complete. Call it before the first await. */
export function clientGoneSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort(new AppError('stopped'));
  });
  return controller.signal;
}
