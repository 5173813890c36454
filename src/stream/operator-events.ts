import { z } from 'zod';
import { publicErrorSchema } from '../frames.js';
import { handledSchema, handlingSchema, operatorMessageSchema } from '../handling.js';
import { MAX_QUESTION_LENGTH, writtenText } from './ask.js';

export const MAX_OPERATOR_NAME = 80;

export const takeoverSchema = z.strictObject({ operator: writtenText(MAX_OPERATOR_NAME) });
export const operatorTextSchema = z.strictObject({ text: writtenText(MAX_QUESTION_LENGTH) });

const conversation = { conversationId: z.uuid() };
const failureSchema = z.object({ ok: z.literal(false), error: publicErrorSchema });
const handlingAck = z.union([z.object({ ok: z.literal(true), handling: handlingSchema }), failureSchema]);

/** What those who talk with people, and these people, emit. */
export const operatorClientEvents = {
  'conversation-watch': {
    summary:
      'Sends `handling-changed`, `operator-message` and `visitor-message` of a conversation from now on. Whoever asks in a conversation watches it anyway.',
    scopes: ['ask', 'operate'],
    payload: z.strictObject(conversation),
    ack: z.union([
      z.object({
        ok: z.literal(true),
        handling: handlingSchema,
        operatorMessages: z.array(operatorMessageSchema),
      }),
      failureSchema,
    ]),
  },
  'handoffs-watch': {
    summary:
      'Sends `handling-changed` of every conversation from now on, and those that wait for a person or have one.',
    scopes: ['operate'],
    payload: z.strictObject({}),
    ack: z.union([
      z.object({
        ok: z.literal(true),
        handoffs: z.array(handledSchema),
      }),
      failureSchema,
    ]),
  },
  'conversation-takeover': {
    summary: 'Takes a conversation over: the assistant is silent there until it is released.',
    scopes: ['operate'],
    payload: takeoverSchema.extend(conversation),
    ack: handlingAck,
  },
  'conversation-release': {
    summary: 'Gives a conversation back to the assistant.',
    scopes: ['operate'],
    payload: z.strictObject(conversation),
    ack: handlingAck,
  },
  'operator-write': {
    summary: 'Writes to the one who asks, in a conversation that was taken over.',
    scopes: ['operate'],
    payload: operatorTextSchema.extend(conversation),
    ack: z.union([z.object({ ok: z.literal(true), message: operatorMessageSchema }), failureSchema]),
  },
} as const;

export const operatorServerEvents = {
  'handling-changed': {
    summary: 'Somebody else answers in this conversation now.',
    payload: handledSchema,
  },
  'operator-message': {
    summary: 'A person has written in this conversation.',
    payload: operatorMessageSchema,
  },
  'visitor-message': {
    summary:
      'A question in a conversation that waits for a person, or that one has taken over: then the assistant does not answer it.',
    payload: z.object({
      ...conversation,
      knowledgeBase: z.string(),
      messageId: z.string(),
      text: z.string(),
      askedAt: z.string(),
    }),
  },
} as const;
