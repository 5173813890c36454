import { AppError } from '../errors.js';

export interface FairQueueOptions {
  /** Permits that are out at a time. */
  atOnce: number;
  /** Nobody waits longer; whoever would is refused at once. */
  longestWaitMs: number;
}

/** Hands out a bounded number of permits, fairly: one client with a hundred requests does not hold up another's first. */
export interface FairQueue {
  /**
   * Waits for a permit; the returned function gives it back, once. The next one goes to the client that holds the
   * fewest, the longest waiting first. Throws AppError `stopped` on abort, `overloaded` with `retryAfterSeconds`
   * where the wait is, or turns out to be, too long.
   */
  enter(client: string, options: { signal: AbortSignal }): Promise<() => void>;
  readonly running: number;
  readonly waiting: number;
}

interface Waiter {
  client: string;
  admit(): void;
}

/** How much the latest duration weighs in the average. */
const LATEST = 0.2;

export function createFairQueue({ atOnce, longestWaitMs }: FairQueueOptions): FairQueue {
  const held = new Map<string, number>();
  let waiters: Waiter[] = [];
  let running = 0;
  let averageMs = 0;

  const take = (client: string): (() => void) => {
    running += 1;
    held.set(client, (held.get(client) ?? 0) + 1);
    const start = performance.now();
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const took = performance.now() - start;
      averageMs = averageMs === 0 ? took : averageMs + LATEST * (took - averageMs);
      running -= 1;
      const left = (held.get(client) ?? 1) - 1;
      if (left === 0) held.delete(client);
      else held.set(client, left);
      admitNext();
    };
  };
  const admitNext = (): void => {
    if (running >= atOnce || waiters.length === 0) return;
    const next = waiters.reduce((best, waiter) =>
      (held.get(waiter.client) ?? 0) < (held.get(best.client) ?? 0) ? waiter : best,
    );
    waiters = waiters.filter((waiter) => waiter !== next);
    next.admit();
  };
  const expectedWaitMs = (): number => (averageMs * (waiters.length + 1)) / atOnce;
  const busy = (): AppError =>
    new AppError('overloaded', 'The language model has more to do than it can; try again shortly.', {
      retryAfterSeconds: Math.max(1, Math.ceil(Math.min(expectedWaitMs(), 60_000) / 1000)),
    });

  return {
    async enter(client, { signal }) {
      if (signal.aborted) throw new AppError('stopped', undefined, { cause: signal.reason });
      if (running < atOnce) return take(client);
      if (expectedWaitMs() > longestWaitMs) throw busy();
      return new Promise((resolve, reject) => {
        const leave = (error: AppError): void => {
          waiters = waiters.filter((other) => other !== waiter);
          settle();
          reject(error);
        };
        const onAbort = (): void => leave(new AppError('stopped', undefined, { cause: signal.reason }));
        const timer = setTimeout(() => leave(busy()), longestWaitMs);
        const settle = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
        };
        const waiter: Waiter = {
          client,
          admit() {
            settle();
            resolve(take(client));
          },
        };
        signal.addEventListener('abort', onAbort, { once: true });
        waiters.push(waiter);
      });
    },
    get running() {
      return running;
    },
    get waiting() {
      return waiters.length;
    },
  };
}
