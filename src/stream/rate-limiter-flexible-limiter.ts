import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../errors.js';
import type { RequestLimiter } from './request-limiter.js';

/** So many per minute and caller, in this process. */
export function createRequestLimiter({ perMinute }: { perMinute: number }): RequestLimiter {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  return {
    async take(caller) {
      try {
        await limiter.consume(caller);
      } catch (thrown) {
        if (!(thrown instanceof RateLimiterRes)) throw thrown;
        const retryAfterSeconds = Math.max(1, Math.ceil(thrown.msBeforeNext / 1000));
        throw new AppError('too-many-requests', undefined, { retryAfterSeconds });
      }
    },
  };
}
