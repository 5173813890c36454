import { AppError, type PublicError } from '../errors.js';

/** The error again, on this side of a thread or process border; its cause stayed behind. */
export function fromPublicError({ code, message, retryable, retryAfterSeconds }: PublicError): AppError {
  return new AppError(code, message, {
    retryable,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
