import { z } from 'zod';
import type { PublicError } from '../errors.js';
import { frameSchema, publicErrorSchema } from '../frames.js';
import type { Scope } from '../identity/identity.js';
import { afterSeqSchema, askSchema, messageIdSchema } from './ask.js';
import { feedbackSchema } from './feedback.js';
import { operatorClientEvents, operatorServerEvents } from './operator-events.js';

const failureSchema = z.object({ ok: z.literal(false), error: publicErrorSchema });
const addressSchema = z.object({ conversationId: z.string(), messageId: z.string() });

/** What a client emits: one payload, and an ack if it wants to know. One of the scopes is needed. */
export const clientEvents = {
  'question-ask': {
    summary: 'Asks a question. The frames of its answer follow on this socket.',
    scopes: ['ask'],
    payload: askSchema,
    ack: z.union([addressSchema.extend({ ok: z.literal(true) }), failureSchema]),
  },
  'answer-stop': {
    summary: 'Stops an answer. `stopped` is false where it had ended before.',
    scopes: ['ask', 'operate'],
    payload: z.strictObject({ messageId: messageIdSchema }),
    ack: z.union([z.object({ ok: z.literal(true), stopped: z.boolean() }), failureSchema]),
  },
  'answer-resume': {
    summary:
      'Sends the frames after `afterSeq` again and goes on, in order, none lost, none twice. From any socket.',
    scopes: ['ask', 'operate'],
    payload: z.strictObject({ messageId: messageIdSchema, afterSeq: afterSeqSchema }),
    ack: z.union([addressSchema.extend({ ok: z.literal(true) }), failureSchema]),
  },
  'feedback-give': {
    summary: 'Says whether an answer was good. A later verdict replaces an earlier one.',
    scopes: ['ask', 'operate'],
    payload: feedbackSchema,
    ack: z.union([z.object({ ok: z.literal(true) }), failureSchema]),
  },
  ...operatorClientEvents,
} as const satisfies Record<
  string,
  { summary: string; scopes: readonly Scope[]; payload: z.ZodType; ack: z.ZodType }
>;

/** What the server emits. */
export const serverEvents = {
  frame: { summary: 'The next frame of an answer.', payload: frameSchema },
  'request-failed': {
    summary:
      'An event without an ack failed, or the frames of a message could not be sent to their end (`messageId`).',
    payload: z.object({
      event: z.string(),
      messageId: z.string().optional(),
      error: publicErrorSchema,
    }),
  },
  ...operatorServerEvents,
} as const;

export type ClientEvent = keyof typeof clientEvents;

export type Ack = { ok: true; [field: string]: unknown } | { ok: false; error: PublicError };
