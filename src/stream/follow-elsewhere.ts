import { AppError } from '../errors.js';
import { type AnswerFrame, isFinalFrame } from '../frames.js';
import type { ConversationStore } from '../store/conversation-store.js';
import type { AnswerRelay } from './answer-relay.js';
import { createBell } from './bell.js';

export interface FollowElsewhereOptions {
  conversations: Pick<ConversationStore, 'readFrames' | 'readMessage'>;
  relay: Pick<AnswerRelay, 'watch'>;
  signal: AbortSignal;
}

/** Word between servers may get lost; the store is looked at again after this time. */
const LOOK_AGAIN_MS = 2000;

/**
 * Frames after `afterSeq` of an answer that another server writes, as they are stored, up to the final one or until
 * the signal aborts. Throws `not-found`, or what the store throws.
 */
export async function* followElsewhere(
  messageId: string,
  afterSeq: number,
  { conversations, relay, signal }: FollowElsewhereOptions,
): AsyncGenerator<AnswerFrame> {
  const bell = createBell();
  let changed = false;
  const unwatch = relay.watch(messageId, () => {
    changed = true;
    bell.ring();
  });
  try {
    let last = afterSeq;
    while (!signal.aborted) {
      changed = false;
      const frames = await conversations.readFrames(messageId, last);
      if (frames === undefined) throw new AppError('not-found', 'There is no such message.');
      for (const frame of frames) {
        last = frame.seq;
        yield frame;
        if (isFinalFrame(frame)) return;
      }
      if (changed || frames.length > 0) continue;
      // Whoever has the final frame already waits for nothing.
      if ((await conversations.readMessage(messageId))?.status !== 'running' && !changed) return;
      if (!changed) await bell.wait({ signal, timeoutMs: LOOK_AGAIN_MS });
    }
  } finally {
    unwatch();
  }
}
