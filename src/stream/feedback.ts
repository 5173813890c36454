import { z } from 'zod';
import type { FeedbackStore } from '../store/feedback-store.js';
import { messageIdSchema, writtenText } from './ask.js';
import { parseInput } from './parse-input.js';

/** What `feedback-give` and `POST /v1/feedback` take. */
export const feedbackSchema = z.strictObject({
  messageId: messageIdSchema,
  verdict: z.enum(['up', 'down']),
  /** Passages the verdict is about; absent for the answer as a whole. */
  passageIds: z.array(z.uuid()).max(100).optional(),
  comment: writtenText(2000).optional(),
});

/** Checks and stores a verdict. Throws AppError `invalid`, `not-found`, or what the store throws. */
export type GiveFeedback = (input: unknown) => Promise<void>;

export function createGiveFeedback(
  store: Pick<FeedbackStore, 'giveFeedback'>,
  now: () => Date = () => new Date(),
): GiveFeedback {
  return async (input) => {
    const { messageId, verdict, passageIds = [], comment } = parseInput(feedbackSchema, input);
    const at = now().toISOString();
    await store.giveFeedback({
      messageId,
      verdict,
      passageIds,
      ...(comment === undefined ? {} : { comment }),
      at,
    });
  };
}
