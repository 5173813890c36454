import { Router } from 'express';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { ConversationStore } from '../store/conversation-store.js';
import type { TraceStore } from '../store/trace-store.js';
import { messageParamsSchema } from './answer-routes.js';
import type { AnswerRunner } from './answer-runner.js';
import { integerTextSchema } from './ask.js';
import type { GiveFeedback } from './feedback.js';
import { parseInput } from './parse-input.js';
import { methodNotAllowed } from './request-errors.js';

export interface ConversationRoutesOptions {
  runner: AnswerRunner;
  conversations: Pick<ConversationStore, 'listConversations' | 'readConversation' | 'deleteConversation'>;
  traces: Pick<TraceStore, 'readTrace'>;
  giveFeedback: GiveFeedback;
}

const MAX_LISTED = 200;
const DEFAULT_LISTED = 50;

export const conversationParamsSchema = z.object({ conversationId: z.uuid() });
export const conversationsQuerySchema = z.strictObject({
  limit: integerTextSchema.pipe(z.number().int().min(1).max(MAX_LISTED)).optional(),
});

/** What was asked, how the answers came about, and what people thought of them. */
export function createConversationRoutes(options: ConversationRoutesOptions): Router {
  const { runner, conversations, traces, giveFeedback } = options;
  const router = Router();

  router
    .route('/v1/conversations')
    .get(async (request, response) => {
      const { limit = DEFAULT_LISTED } = parseInput(conversationsQuerySchema, request.query);
      response.json({ conversations: await conversations.listConversations({ limit }) });
    })
    .all(methodNotAllowed('GET'));

  const readMessages = async (params: unknown) => {
    const { conversationId } = parseInput(conversationParamsSchema, params);
    const messages = await conversations.readConversation(conversationId);
    if (messages === undefined) throw new AppError('not-found', 'There is no such conversation.');
    return { conversationId, messages };
  };

  router
    .route('/v1/conversations/:conversationId')
    .get(async (request, response) => {
      response.json(await readMessages(request.params));
    })
    .delete(async (request, response) => {
      const { conversationId, messages } = await readMessages(request.params);
      const running = messages.filter(({ status }) => status === 'running');
      await Promise.all(running.map(({ messageId }) => runner.stop(messageId)));
      await conversations.deleteConversation(conversationId);
      response.status(204).end();
    })
    .all(methodNotAllowed('GET', 'DELETE'));

  router
    .route('/v1/messages/:messageId/trace')
    .get(async (request, response) => {
      const { messageId } = parseInput(messageParamsSchema, request.params);
      const trace = await traces.readTrace(messageId);
      if (trace === undefined) throw new AppError('not-found', 'There is no trace of such a message.');
      response.json(trace);
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/v1/feedback')
    .post(async (request, response) => {
      await giveFeedback(request.body);
      response.status(204).end();
    })
    .all(methodNotAllowed('POST'));

  return router;
}
