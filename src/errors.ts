/** Every failure a client can see has one of these codes; the table gives its HTTP status and public message. */
export const ERROR_TABLE = {
  invalid: { status: 400, message: 'The request is not valid.', retryable: false },
  unauthorized: { status: 401, message: 'A valid key is needed.', retryable: false },
  forbidden: { status: 403, message: 'This key may not do that.', retryable: false },
  'not-found': { status: 404, message: 'There is no such thing here.', retryable: false },
  'method-not-allowed': { status: 405, message: 'This method is not offered here.', retryable: false },
  'not-acceptable': {
    status: 406,
    message: 'The content type you accept is not offered here.',
    retryable: false,
  },
  conflict: { status: 409, message: 'That is already so, or is under way.', retryable: false },
  'too-large': { status: 413, message: 'The request is too large.', retryable: false },
  'unsupported-media-type': {
    status: 415,
    message: 'This content type is not supported here.',
    retryable: false,
  },
  unreadable: { status: 422, message: 'The document could not be read.', retryable: false },
  'too-many-requests': { status: 429, message: 'Too many requests; try again later.', retryable: true },
  stopped: { status: 499, message: 'The answer was stopped.', retryable: true },
  internal: { status: 500, message: 'Something broke on our side.', retryable: true },
  'model-failed': { status: 502, message: 'The language model did not answer.', retryable: true },
  unavailable: { status: 503, message: 'A part of the service is not available now.', retryable: true },
  overloaded: { status: 503, message: 'The service is busy; try again shortly.', retryable: true },
  interrupted: { status: 503, message: 'The server restarted while answering.', retryable: true },
  timeout: { status: 504, message: 'This took too long.', retryable: true },
} as const satisfies Record<string, { status: number; message: string; retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_TABLE;

interface AppErrorOptions {
  cause?: unknown;
  /** Overrides the table where a particular failure is (not) worth repeating. */
  retryable?: boolean;
  /** Seconds after which a retry makes sense; sent as `Retry-After`. */
  retryAfterSeconds?: number;
}

/**
 * The one error type that crosses folders. `message` is written by us and safe to show to a client; what an
 * upstream service said belongs in `cause`, which only the log sees.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message?: string, options: AppErrorOptions = {}) {
    super(message ?? ERROR_TABLE[code].message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? ERROR_TABLE[code].retryable;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return ERROR_TABLE[this.code].status;
  }
}

/** The shape of an error in every reply, ack and frame. */
export interface PublicError {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  retryAfterSeconds?: number;
}

/** Anything thrown becomes an AppError: ours pass through, an abort becomes `stopped`, the rest `internal`. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof Error && thrown.name === 'AbortError') {
    return new AppError('stopped', undefined, { cause: thrown });
  }
  if (thrown instanceof Error && thrown.name === 'TimeoutError') {
    return new AppError('timeout', undefined, { cause: thrown });
  }
  return new AppError('internal', undefined, { cause: thrown });
}

export function toPublicError(thrown: unknown): PublicError {
  const { code, message, retryable, retryAfterSeconds } = toAppError(thrown);
  return { code, message, retryable, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}
