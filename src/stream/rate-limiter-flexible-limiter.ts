import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../errors.js';
import type { RequestLimiter } from './request-limiter.js';

export const MINUTE_SECONDS = 60;

/** So many per minute and caller, in this process. */
export function createRequestLimiter({ perMinute }: { perMinute: number }): RequestLimiter {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: MINUTE_SECONDS });
  return {
    async take(caller) {
      try {
        await limiter.consume(caller);
      } catch (thrown) {
        throw toRefusal(thrown);
      }
    },
  };
}

/** What a limit of a minute refuses, with a hint when to retry; anything else as it is. */
export function toRefusal(thrown: unknown): unknown {
  if (!(thrown instanceof RateLimiterRes)) return thrown;
  // The package reckons by the wall clock, and forgets by a timer: a clock that is put back makes nobody wait longer.
  const seconds = Math.min(MINUTE_SECONDS, Math.ceil(thrown.msBeforeNext / 1000));
  return new AppError('too-many-requests', undefined, { retryAfterSeconds: Math.max(1, seconds) });
}
