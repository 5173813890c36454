import { AppError } from '../errors.js';

/** Work under one key runs one after the other, in order; under different keys at the same time. */
export interface KeyedQueue {
  /** Throws what the work throws, `stopped` where the signal aborts before its turn, `overloaded` where too many wait. */
  run<T>(key: string, work: () => Promise<T>, options: { signal: AbortSignal }): Promise<T>;
}

export function createKeyedQueue({ maxWaiting }: { maxWaiting: number }): KeyedQueue {
  const tails = new Map<string, Promise<void>>();
  let waiting = 0;

  return {
    async run(key, work, { signal }) {
      if (waiting >= maxWaiting) throw new AppError('overloaded', 'Too many documents are waiting.');
      const before = tails.get(key);
      let finish: () => void = () => undefined;
      const done = new Promise<void>((resolve) => {
        finish = resolve;
      });
      const tail = (before ?? Promise.resolve()).then(() => done);
      tails.set(key, tail);
      waiting += 1;
      try {
        if (before !== undefined) await untilAborted(before, signal);
        throwIfStopped(signal);
        return await work();
      } finally {
        waiting -= 1;
        finish();
        if (tails.get(key) === tail) tails.delete(key);
      }
    },
  };
}

async function untilAborted(turn: Promise<void>, signal: AbortSignal): Promise<void> {
  throwIfStopped(signal);
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<void>((resolve) => {
    onAbort = resolve;
    signal.addEventListener('abort', onAbort, { once: true });
  });
  await Promise.race([turn, aborted]);
  signal.removeEventListener('abort', onAbort);
}

function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new AppError('stopped', undefined, { cause: signal.reason });
}
