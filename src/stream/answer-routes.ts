import { Router } from 'express';
import { z } from 'zod';
import { AppError, toPublicError } from '../errors.js';
import { type AnswerFrame, isFinalFrame } from '../frames.js';
import type { ConversationStore } from '../store/conversation-store.js';
import type { Access } from './access.js';
import { collect, toAnswerReply } from './answer-reply.js';
import type { AnswerRunner } from './answer-runner.js';
import { afterSeqSchema, integerTextSchema, messageIdSchema } from './ask.js';
import { clientGoneSignal } from './client-gone.js';
import { type EventStream, openEventStream } from './event-stream.js';
import { identityOf, needs } from './identify.js';
import { parseInput } from './parse-input.js';
import { methodNotAllowed, negotiate } from './request-errors.js';

export interface AnswerRoutesOptions {
  runner: AnswerRunner;
  access: Access;
  conversations: Pick<ConversationStore, 'readFrames'>;
  heartbeatMs: number;
  stallMs: number;
}

const TYPES = ['application/json', 'text/event-stream'] as const;

export const messageParamsSchema = z.object({ messageId: messageIdSchema });
export const framesQuerySchema = z.strictObject({
  afterSeq: integerTextSchema.pipe(afterSeqSchema).optional(),
});
const lastEventIdSchema = integerTextSchema.pipe(afterSeqSchema).optional();

export function createAnswerRoutes({
  runner,
  access,
  conversations,
  heartbeatMs,
  stallMs,
}: AnswerRoutesOptions): Router {
  const router = Router();

  router
    .route('/v1/answers')
    .post(needs('ask'), async (request, response) => {
      const type = negotiate(request, TYPES);
      const signal = clientGoneSignal(response);
      const { messageId } = await runner.start(request.body, { asker: identityOf(request) });
      const frames = runner.follow(messageId, -1, { signal, whenLeft: 'stop' });
      if (type === 'application/json') {
        response.json(toAnswerReply(await collect(frames)));
      } else {
        await sendFrames(openEventStream(response, { heartbeatMs, stallMs, signal }), frames);
      }
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/v1/answers/:messageId/frames')
    .get(needs('ask', 'operate'), async (request, response) => {
      const type = negotiate(request, TYPES);
      const signal = clientGoneSignal(response);
      const { messageId } = parseInput(messageParamsSchema, request.params);
      const { afterSeq } = parseInput(framesQuerySchema, request.query);
      await access.toMessage(identityOf(request), messageId);
      const address = await runner.find(messageId);
      const stored = (await conversations.readFrames(messageId, -1)) ?? [];
      const ended = stored.some(isFinalFrame);
      if (type === 'application/json') {
        response.json({ ...address, ended, frames: stored.slice((afterSeq ?? -1) + 1) });
        return;
      }
      const last = parseInput(lastEventIdSchema, request.get('Last-Event-ID')) ?? afterSeq ?? -1;
      if (ended && last >= stored.length - 1) {
        // Tells an EventSource that there is nothing to reconnect for.
        response.status(204).end();
        return;
      }
      const stream = openEventStream(response, { heartbeatMs, stallMs, signal });
      await sendFrames(stream, runner.follow(messageId, last, { signal }));
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/v1/answers/:messageId')
    .delete(needs('ask', 'operate'), async (request, response) => {
      const { messageId } = parseInput(messageParamsSchema, request.params);
      await access.toMessage(identityOf(request), messageId);
      response.json({ messageId, stopped: await runner.stop(messageId) });
    })
    .all(methodNotAllowed('DELETE'));

  return router;
}

/** A failure after the reply has begun is an event of its own: `request-failed`. */
async function sendFrames(stream: EventStream, frames: AsyncIterable<AnswerFrame>): Promise<void> {
  try {
    for await (const frame of frames) {
      await stream.send({ id: frame.seq, event: frame.type, data: JSON.stringify(frame) });
    }
  } catch (thrown) {
    await stream.send({ event: 'request-failed', data: JSON.stringify({ error: toPublicError(thrown) }) });
    if (!(thrown instanceof AppError)) throw thrown;
  } finally {
    stream.end();
  }
}
