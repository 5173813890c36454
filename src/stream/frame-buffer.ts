import type { FlushClock } from '../flush-clock.js';
import type { FrameBody } from '../frames.js';

/** Collects what the pipeline yields and writes it in batches, adjacent text deltas joined. */
export interface FrameBuffer {
  /**
   * The first delta, and one after a silence, is written at once, others when the clock ticks; any other frame is written at once and takes
   * the text before it along. While a batch is being written, the next one gathers.
   */
  push(body: FrameBody): void;
  /** Writes what is there; what is pushed from now on is dropped. Rejects with what a write threw. */
  end(): Promise<void>;
}

/** After so many, text that comes is the first again. Fewer would let a busy process send more frames, not fewer. */
const SILENT_TICKS = 3;

export interface FrameBufferOptions {
  clock: FlushClock;
  /** One batch after the other, in order. After one that rejects, none follows. */
  write: (batch: FrameBody[]) => Promise<void>;
  onFailure: (thrown: unknown) => void;
}

export function createFrameBuffer({ clock, write, onFailure }: FrameBufferOptions): FrameBuffer {
  let buffered: FrameBody[] = [];
  let urgent = false;
  let ended = false;
  let writing: Promise<void> | undefined;
  let failure: { thrown: unknown } | undefined;
  let awaitsTick = false;
  let lastWriteAt = Number.NEGATIVE_INFINITY;

  const flush = (): void => {
    if (writing !== undefined || buffered.length === 0) return;
    const batch = buffered;
    buffered = [];
    urgent = false;
    lastWriteAt = performance.now();
    writing = write(batch).then(written, failed);
  };
  const written = (): void => {
    writing = undefined;
    schedule();
  };
  /** `writing` stays: nothing may follow a batch that is missing. */
  const failed = (thrown: unknown): void => {
    failure = { thrown };
    onFailure(thrown);
  };
  const schedule = (): void => {
    if (urgent || ended || performance.now() - lastWriteAt >= SILENT_TICKS * clock.intervalMs) flush();
    else if (!awaitsTick && buffered.length > 0) {
      awaitsTick = true;
      clock.onNextTick(tick);
    }
  };
  const tick = (): void => {
    awaitsTick = false;
    flush();
  };

  return {
    push(body) {
      if (ended) return;
      const last = buffered.at(-1);
      if (body.type === 'text-delta' && last?.type === 'text-delta') {
        buffered[buffered.length - 1] = { type: 'text-delta', text: last.text + body.text };
        return;
      }
      buffered.push(body);
      urgent ||= body.type !== 'text-delta';
      if (writing === undefined) schedule();
    },
    async end() {
      ended = true;
      flush();
      while (writing !== undefined && failure === undefined) await writing;
      if (failure !== undefined) throw failure.thrown;
    },
  };
}
