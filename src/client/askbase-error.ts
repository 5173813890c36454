import type { ErrorCode, PublicError } from '../errors.js';

/** What the server refused, or `unavailable` where it could not be reached. */
export class AskbaseError extends Error {
  override readonly name = 'AskbaseError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;

  constructor({ code, message, retryable, retryAfterSeconds }: PublicError) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export function unreachable(): AskbaseError {
  return new AskbaseError({ code: 'unavailable', message: 'The server did not answer.', retryable: true });
}
