import { RateLimiterMemory } from 'rate-limiter-flexible';
import { AppError } from '../errors.js';
import type { Caller } from '../telemetry/request-context.js';
import type { Admission, AnswerQuota, Share } from './answer-quota.js';
import { MINUTE_SECONDS, toRefusal } from './rate-limiter-flexible-limiter.js';

export type Shares = Record<'socket' | 'address' | 'key', Share>;

/** How soon a place may be free again where all are taken: an answer takes some seconds. */
const PLACE_RETRY_SECONDS = 2;

/** Counts in this process: with several servers, each grants its own shares. */
export function createAnswerQuota(shares: Shares): AnswerQuota {
  const counters = Object.entries(shares).map(([kind, share]) => ({
    kind: kind as keyof Shares,
    count: createCounter(share),
  }));
  return {
    async admit(caller) {
      const held: Admission[] = [];
      const release: Admission['release'] = (used) => {
        for (const admission of held.splice(0)) admission.release(used);
      };
      try {
        for (const { kind, count } of counters) {
          const id = idOf(kind, caller);
          if (id !== undefined) held.push(await count(id));
        }
      } catch (thrown) {
        release({ tokens: 0 });
        throw thrown;
      }
      return { release };
    },
  };
}

function idOf(kind: keyof Shares, { socketId, address, key }: Caller): string | undefined {
  return { socket: socketId, address, key }[kind];
}

function createCounter({ questionsPerMinute, tokensPerMinute, answersAtOnce }: Share) {
  const questions = new RateLimiterMemory({ points: questionsPerMinute, duration: MINUTE_SECONDS });
  const tokens = new RateLimiterMemory({ points: tokensPerMinute, duration: MINUTE_SECONDS });
  const running = new Map<string, number>();
  const giveBack = (id: string): void => {
    const left = (running.get(id) ?? 1) - 1;
    if (left === 0) running.delete(id);
    else running.set(id, left);
  };

  return async (id: string): Promise<Admission> => {
    const others = running.get(id) ?? 0;
    if (others >= answersAtOnce) {
      throw new AppError('too-many-requests', 'Too many answers at a time.', {
        retryAfterSeconds: PLACE_RETRY_SECONDS,
      });
    }
    // The place is taken before the first await.
    running.set(id, others + 1);
    try {
      const spent = await tokens.get(id);
      if (spent !== null && spent.consumedPoints >= tokensPerMinute) throw spent;
      await questions.consume(id);
    } catch (thrown) {
      giveBack(id);
      throw toRefusal(thrown);
    }
    return {
      release(used) {
        giveBack(id);
        if (used.tokens > 0) void tokens.penalty(id, used.tokens);
      },
    };
  };
}
