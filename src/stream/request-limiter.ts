/** Counts what a caller may do in a time. */
export interface RequestLimiter {
  /** Throws AppError `too-many-requests` with `retryAfterSeconds` where the caller's share is used up. */
  take(caller: string): Promise<void>;
}
