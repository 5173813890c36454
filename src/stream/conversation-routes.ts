import { type Request, Router } from 'express';
import { z } from 'zod';
import { AppError } from '../errors.js';
import { hasScope, type Identity } from '../identity/identity.js';
import type { ConversationStore, ListOptions } from '../store/conversation-store.js';
import type { TraceStore } from '../store/trace-store.js';
import type { Access } from './access.js';
import { messageParamsSchema } from './answer-routes.js';
import type { AnswerRunner } from './answer-runner.js';
import { integerTextSchema } from './ask.js';
import type { GiveFeedback } from './feedback.js';
import { identityOf, needs } from './identify.js';
import type { OperatorDesk } from './operator-desk.js';
import { parseInput } from './parse-input.js';
import { methodNotAllowed } from './request-errors.js';

export interface ConversationRoutesOptions {
  runner: AnswerRunner;
  access: Access;
  conversations: Pick<
    ConversationStore,
    'listConversations' | 'readConversation' | 'deleteConversation' | 'deleteConversations'
  >;
  traces: Pick<TraceStore, 'readTrace'>;
  giveFeedback: GiveFeedback;
  desk: Pick<OperatorDesk, 'read'>;
}

const MAX_LISTED = 200;
const DEFAULT_LISTED = 50;

export const conversationParamsSchema = z.object({ conversationId: z.uuid() });
export const conversationsQuerySchema = z.strictObject({
  limit: integerTextSchema.pipe(z.number().int().min(1).max(MAX_LISTED)).optional(),
});

export const deletionQuerySchema = z.strictObject({
  /** Absent: one's own. `visitor:<tenant>:<visitorId>`, `user:<sub>` or `tenant:<name>`. */
  owner: z.string().min(1).max(400).optional(),
});

/** What was asked, how the answers came about, and what people thought of them. */
export function createConversationRoutes(options: ConversationRoutesOptions): Router {
  const { runner, access, conversations, traces, giveFeedback, desk } = options;
  const router = Router();

  router
    .route('/v1/conversations')
    .get(needs('ask', 'operate'), async (request, response) => {
      const { limit = DEFAULT_LISTED } = parseInput(conversationsQuerySchema, request.query);
      const visible = whatIsSeen(identityOf(request));
      response.json({ conversations: await conversations.listConversations({ limit, ...visible }) });
    })
    .delete(needs('ask', 'operate'), async (request, response) => {
      const identity = identityOf(request);
      const { owner = identity.owner } = parseInput(deletionQuerySchema, request.query);
      if (owner !== identity.owner && !(hasScope(identity, 'operate') && identity.knowledgeBases === 'all')) {
        throw new AppError(
          'forbidden',
          'Conversations of others can be deleted by operators of all knowledge bases.',
        );
      }
      response.json({ deleted: await conversations.deleteConversations({ owner }) });
    })
    .all(methodNotAllowed('GET', 'DELETE'));

  const readMessages = async (request: Request) => {
    const { conversationId } = parseInput(conversationParamsSchema, request.params);
    await access.toConversation(identityOf(request), conversationId);
    const messages = await conversations.readConversation(conversationId);
    if (messages === undefined) throw new AppError('not-found', 'There is no such conversation.');
    return { conversationId, messages };
  };

  router
    .route('/v1/conversations/:conversationId')
    .get(needs('ask', 'operate'), async (request, response) => {
      const conversation = await readMessages(request);
      response.json({ ...conversation, ...(await desk.read(conversation.conversationId)) });
    })
    .delete(needs('ask', 'operate'), async (request, response) => {
      const { conversationId, messages } = await readMessages(request);
      const running = messages.filter(({ status }) => status === 'running');
      await Promise.all(running.map(({ messageId }) => runner.stop(messageId)));
      await conversations.deleteConversation(conversationId);
      response.status(204).end();
    })
    .all(methodNotAllowed('GET', 'DELETE'));

  router
    .route('/v1/messages/:messageId/trace')
    .get(needs('search', 'operate'), async (request, response) => {
      const { messageId } = parseInput(messageParamsSchema, request.params);
      await access.toMessage(identityOf(request), messageId);
      const trace = await traces.readTrace(messageId);
      if (trace === undefined) throw new AppError('not-found', 'There is no trace of such a message.');
      response.json(trace);
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/v1/feedback')
    .post(needs('ask', 'operate'), async (request, response) => {
      await giveFeedback(request.body, identityOf(request));
      response.status(204).end();
    })
    .all(methodNotAllowed('POST'));

  return router;
}

/** Operators see every conversation of their knowledge bases, the others their own. */
function whatIsSeen(identity: Identity): Omit<ListOptions, 'limit'> {
  const { knowledgeBases, owner } = identity;
  return {
    ...(knowledgeBases === 'all' ? {} : { knowledgeBases: [...knowledgeBases] }),
    ...(hasScope(identity, 'operate') ? {} : { owner }),
  };
}
