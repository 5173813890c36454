import { AppError } from '../errors.js';

export interface GroupCommitOptions<Change, Result> {
  /** Makes the changes durable, all together, in their order; one result per change. What it throws, every one of them throws. */
  commit: (changes: readonly Change[]) => Promise<Result[]>;
  /** What a change counts for `maxSize`. */
  sizeOf: (change: Change) => number;
  /** Changes committed together, at most; a larger one is committed by itself. */
  maxSize: number;
}

export interface GroupCommit<Change, Result> {
  /**
   * Resolves when the change is durable; changes take effect in the order of the calls. Throws what `commit` throws,
   * `stopped` where the signal has aborted when its turn comes, `overloaded` where too many wait.
   */
  add(change: Change, options?: { signal?: AbortSignal }): Promise<Result>;
  /** Resolves when nothing waits. */
  settled(): Promise<void>;
}

const MAX_WAITING = 10_000;

interface Waiting<Change, Result> {
  change: Change;
  signal: AbortSignal | undefined;
  resolve(result: Result): void;
  reject(thrown: unknown): void;
}

/**
 * A flush to the disk costs the same for one change as for many: those that come while others are being committed are
 * committed together. One that comes alone waits for nothing.
 */
export function createGroupCommit<Change, Result>({
  commit,
  sizeOf,
  maxSize,
}: GroupCommitOptions<Change, Result>): GroupCommit<Change, Result> {
  const waiting: Waiting<Change, Result>[] = [];
  let running: Promise<void> | null = null;

  const takeGroup = (): Waiting<Change, Result>[] => {
    let size = 0;
    const end = waiting.findIndex(({ change }, index) => {
      size += sizeOf(change);
      return index > 0 && size > maxSize;
    });
    return waiting.splice(0, end === -1 ? waiting.length : end).filter((one) => {
      if (one.signal?.aborted !== true) return true;
      one.reject(new AppError('stopped', undefined, { cause: one.signal.reason }));
      return false;
    });
  };
  const run = async (): Promise<void> => {
    // Calls of the same turn come together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const group = takeGroup();
      if (group.length === 0) continue;
      try {
        const results = await commit(group.map(({ change }) => change));
        for (const [index, one] of group.entries()) one.resolve(results[index] as Result);
      } catch (thrown) {
        for (const one of group) one.reject(thrown);
      }
    }
    running = null;
  };

  return {
    add: (change, { signal } = {}) =>
      new Promise((resolve, reject) => {
        if (waiting.length >= MAX_WAITING) return reject(new AppError('overloaded'));
        waiting.push({ change, signal, resolve, reject });
        running ??= run();
      }),
    settled: async () => {
      while (running !== null) await running;
    },
  };
}
