import { AppError } from '../errors.js';
import type { AnswerFrame } from '../frames.js';

/** Writes frames of several messages together; resolves to the ids of messages that are not there. */
type WriteFrames = (frames: AnswerFrame[]) => Promise<string[]>;

interface Batch {
  frames: AnswerFrame[];
  written: Promise<Set<string>>;
}

export interface FrameBatches {
  /** Resolves when these frames are written. */
  append(frames: readonly AnswerFrame[]): Promise<void>;
  /** Resolves when all that was appended so far is written, or has failed its callers. */
  drained(): Promise<void>;
}

/**
 * Gathers the frames that arrive while a write is under way into the next one: hundreds of answers that stream at
 * once cost a few writes, and a single one is written without delay.
 */
export function batchFrames(write: WriteFrames): FrameBatches {
  let underWay: Promise<void> = Promise.resolve();
  let next: Batch | undefined;

  const startBatch = (): Batch => {
    const frames: AnswerFrame[] = [];
    const written = underWay.then(async () => {
      next = undefined;
      return new Set(await write(frames));
    });
    // A failed write fails its own callers, and the next batch is tried all the same.
    underWay = written.then(ignore, ignore);
    return { frames, written };
  };

  return {
    append: async (frames) => {
      next ??= startBatch();
      next.frames.push(...frames);
      const missing = await next.written;
      if (frames.some(({ messageId }) => missing.has(messageId))) {
        throw new AppError('not-found', 'There is no such message.');
      }
    },
    drained: () => underWay,
  };
}

function ignore(): void {}
