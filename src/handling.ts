import { z } from 'zod';

/** Why a conversation waits for a person. */
export const HANDOFF_REASONS = ['asked', 'anger', 'repeated-no-answer'] as const;
export type HandoffReason = (typeof HANDOFF_REASONS)[number];

/** Who answers in a conversation now. */
export const handlingSchema = z.object({
  /** `waiting`: a person is wanted, and the assistant still answers. `operator`: a person answers, the assistant is silent. */
  state: z.enum(['assistant', 'waiting', 'operator']),
  /** Name of the person, as it is shown. */
  operator: z.string().optional(),
  reason: z.enum(HANDOFF_REASONS).optional(),
  /** ISO 8601. */
  since: z.string(),
});

/** What a person wrote to the one who asks. */
export const operatorMessageSchema = z.object({
  operatorMessageId: z.string(),
  conversationId: z.string(),
  /** The last question before it; null where there was none. */
  afterMessageId: z.string().nullable(),
  operator: z.string(),
  text: z.string(),
  sentAt: z.string(),
});

/** A conversation and who answers there. */
export const handledSchema = z.object({
  conversationId: z.string(),
  knowledgeBase: z.string(),
  handling: handlingSchema,
});

/** Who answers in a conversation now, and what people wrote there so far, in order. */
export interface ConversationHandling {
  handling: Handling;
  operatorMessages: readonly OperatorMessage[];
}

export type Handled = z.infer<typeof handledSchema>;
export type Handling = z.infer<typeof handlingSchema>;
export type OperatorMessage = z.infer<typeof operatorMessageSchema>;
