import { AppError } from '../errors.js';
import type { AnswerFrame, CacheHit, Citation, NoAnswerReason, Source, Timings, Usage } from '../frames.js';

/** A whole answer at once: what its frames add up to. */
export interface AnswerReply {
  conversationId: string;
  messageId: string;
  status: 'answered' | 'no-answer';
  reason?: NoAnswerReason | undefined;
  text: string;
  citations: Citation[];
  sources: Source[];
  usage?: Usage | undefined;
  cache?: CacheHit | undefined;
  cutOff?: true | undefined;
  timings: Timings;
  degraded: string[];
  frames: AnswerFrame[];
}

export type CompletedFrame = Extract<AnswerFrame, { type: 'answer-completed' }>;

export function toAnswerReply(frames: AnswerFrame[]): AnswerReply {
  const { seq: _seq, type: _type, ...result } = completedFrame(frames);
  return { ...result, sources: sourcesOf(frames), frames };
}

/** The last frame. Throws the AppError of an `answer-failed` frame, or `stopped` where the frames have no end. */
export function completedFrame(frames: readonly AnswerFrame[]): CompletedFrame {
  const final = frames.at(-1);
  if (final?.type === 'answer-completed') return final;
  if (final?.type !== 'answer-failed') throw new AppError('stopped');
  const { code, message, retryable, retryAfterSeconds } = final.error;
  throw new AppError(code, message, {
    retryable,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

export function sourcesOf(frames: readonly AnswerFrame[]): Source[] {
  return frames.flatMap((frame) => (frame.type === 'sources-found' ? frame.sources : []));
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
