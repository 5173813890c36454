import type { FrameBody } from '../frames.js';
import { createBell } from './bell.js';

/** Collects what the pipeline yields and gives it out in batches, adjacent text deltas joined. */
export interface FrameBuffer {
  push(body: FrameBody): void;
  /** Nothing more comes; `thrown` where the pipeline failed. */
  end(failure?: { thrown: unknown }): void;
  /**
   * Batches in order. The first delta goes at once, later ones at most every `intervalMs`; any other frame goes at
   * once and takes the text before it along. Throws what `end` was given. When the signal aborts, gives what is
   * there once the pipeline has ended (or `endWithinMs` are over), then throws the signal's reason.
   */
  batches(options: { signal: AbortSignal; endWithinMs: number }): AsyncGenerator<FrameBody[]>;
}

export function createFrameBuffer({ intervalMs }: { intervalMs: number }): FrameBuffer {
  const bell = createBell();
  let buffered: FrameBody[] = [];
  let ended = false;
  let failure: { thrown: unknown } | undefined;
  let lastDeltaAt = Number.NEGATIVE_INFINITY;

  const millisecondsUntilDue = (): number => {
    if (buffered.length === 0) return Number.POSITIVE_INFINITY;
    if (ended || buffered.some(({ type }) => type !== 'text-delta')) return 0;
    return lastDeltaAt + intervalMs - performance.now();
  };
  const take = (): FrameBody[] => {
    const batch = buffered;
    buffered = [];
    if (batch.some(({ type }) => type === 'text-delta')) lastDeltaAt = performance.now();
    return batch;
  };

  return {
    push(body) {
      const last = buffered.at(-1);
      if (body.type === 'text-delta' && last?.type === 'text-delta') {
        // Whoever waits for the first of them takes this one along: no need to wake anybody for it.
        buffered[buffered.length - 1] = { type: 'text-delta', text: last.text + body.text };
        return;
      }
      buffered.push(body);
      bell.ring();
    },
    end(withFailure) {
      ended = true;
      failure = withFailure;
      bell.ring();
    },
    async *batches({ signal, endWithinMs }) {
      // One listener for all waits: a listener per token would cost more than the token.
      signal.addEventListener('abort', bell.ring, { once: true });
      try {
        while (!signal.aborted) {
          const due = millisecondsUntilDue();
          if (due <= 0) yield take();
          else if (ended) break;
          else await bell.wait(Number.isFinite(due) ? { timeoutMs: due } : {});
        }
      } finally {
        signal.removeEventListener('abort', bell.ring);
      }
      const giveUpAt = performance.now() + endWithinMs;
      while (!ended && performance.now() < giveUpAt) {
        await bell.wait({ timeoutMs: giveUpAt - performance.now() });
      }
      if (buffered.length > 0) yield take();
      if (failure !== undefined && !signal.aborted) throw failure.thrown;
      signal.throwIfAborted();
    },
  };
}
