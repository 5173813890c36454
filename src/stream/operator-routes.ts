import { type Request, Router } from 'express';
import type { Access } from './access.js';
import { conversationParamsSchema } from './conversation-routes.js';
import { identityOf, needs } from './identify.js';
import type { OperatorDesk } from './operator-desk.js';
import { operatorTextSchema, takeoverSchema } from './operator-events.js';
import { listVisibleHandoffs } from './operator-session.js';
import { parseInput } from './parse-input.js';
import { methodNotAllowed } from './request-errors.js';

/** For people who take conversations over. */
export function createOperatorRoutes({ desk, access }: { desk: OperatorDesk; access: Access }): Router {
  const router = Router();
  const findConversation = async (request: Request): Promise<string> => {
    const { conversationId } = parseInput(conversationParamsSchema, request.params);
    await access.toConversation(identityOf(request), conversationId);
    return conversationId;
  };

  router
    .route('/v1/handoffs')
    .get(needs('operate'), async (request, response) => {
      response.json({ handoffs: await listVisibleHandoffs(desk, identityOf(request)) });
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/v1/conversations/:conversationId/takeover')
    .post(needs('operate'), async (request, response) => {
      const { operator } = parseInput(takeoverSchema, request.body);
      const conversationId = await findConversation(request);
      response.json({ conversationId, handling: await desk.takeOver(conversationId, operator) });
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/v1/conversations/:conversationId/release')
    .post(needs('operate'), async (request, response) => {
      const conversationId = await findConversation(request);
      response.json({ conversationId, handling: await desk.release(conversationId) });
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/v1/conversations/:conversationId/messages')
    .post(needs('operate'), async (request, response) => {
      const { text } = parseInput(operatorTextSchema, request.body);
      const conversationId = await findConversation(request);
      response.json(await desk.write(conversationId, text));
    })
    .all(methodNotAllowed('POST'));

  return router;
}
