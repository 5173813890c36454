import { z } from 'zod';
import type { Identity } from '../identity/identity.js';
import type { FeedbackStore } from '../store/feedback-store.js';
import type { Access } from './access.js';
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
export type GiveFeedback = (input: unknown, giver: Identity) => Promise<void>;

export function createGiveFeedback(
  store: Pick<FeedbackStore, 'giveFeedback'>,
  access: Pick<Access, 'toMessage'>,
  now: () => Date = () => new Date(),
): GiveFeedback {
  return async (input, giver) => {
    const { messageId, verdict, passageIds = [], comment } = parseInput(feedbackSchema, input);
    await access.toMessage(giver, messageId);
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
