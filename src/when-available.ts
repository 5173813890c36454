import { setTimeout as sleep } from 'node:timers/promises';
import { toAppError } from './errors.js';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

export interface WhenAvailableOptions {
  /** Ends the waiting; the promise then rejects with what was thrown last. */
  signal: AbortSignal;
  /** Called with what was thrown, before each wait. */
  onWait: (error: unknown) => void;
}

/** Tries again, with growing pauses, for as long as what is needed is `unavailable`. Anything else is thrown at once. */
export async function whenAvailable<T>(run: () => Promise<T>, options: WhenAvailableOptions): Promise<T> {
  const { signal, onWait } = options;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      return await run();
    } catch (thrown) {
      if (signal.aborted || toAppError(thrown).code !== 'unavailable') throw thrown;
      onWait(thrown);
      await sleep(wait, undefined, { signal });
    }
  }
}
