import { Router } from 'express';
import { AppError, toAppError, toPublicError } from '../errors.js';
import type { AnswerFrame } from '../frames.js';
import { listVisible, requireVisible } from './access.js';
import { collect, completedFrame } from './answer-reply.js';
import type { AnswerRunner } from './answer-runner.js';
import {
  type CompletionHead,
  chatCompletionRequestSchema,
  finishReasonOf,
  readChatMessages,
  toAskbaseField,
  toChatCompletion,
  toChunk,
  toMarker,
  toOpenAiError,
  toUsageChunk,
} from './chat-completion.js';
import { clientGoneSignal } from './client-gone.js';
import { type EventStream, openEventStream } from './event-stream.js';
import { identityOf, needs } from './identify.js';
import type { KnowledgeBases } from './knowledge-bases.js';
import { parseInput } from './parse-input.js';
import { methodNotAllowed } from './request-errors.js';

export interface ChatCompletionRoutesOptions {
  runner: AnswerRunner;
  knowledgeBases: KnowledgeBases;
  heartbeatMs: number;
  stallMs: number;
  now: () => Date;
}

/** OpenAI's routes with a knowledge base in the place of a model. */
export function createChatCompletionRoutes(options: ChatCompletionRoutesOptions): Router {
  const { runner, knowledgeBases, heartbeatMs, stallMs, now } = options;
  const router = Router();
  const startedAt = toSeconds(now());
  const toModel = ({ id }: { id: string }): object => ({
    id,
    object: 'model',
    created: startedAt,
    owned_by: 'askbase',
  });

  router
    .route('/v1/chat/completions')
    .post(needs('ask'), async (request, response) => {
      const signal = clientGoneSignal(response);
      const asker = identityOf(request);
      const { model, messages, stream, stream_options, citation_markers } = parseInput(
        chatCompletionRequestSchema,
        request.body,
      );
      const { id: knowledgeBase } = requireVisible(asker, knowledgeBases, model);
      const { turns, ...question } = readChatMessages(messages);
      const { messageId } = await runner.start({ knowledgeBase, ...question }, { asker, turns });
      const frames = runner.follow(messageId, -1, { signal, whenLeft: 'stop' });
      const markers = citation_markers === true;
      const head = { messageId, model, created: toSeconds(now()) };
      if (stream) {
        const events = openEventStream(response, { heartbeatMs, stallMs, signal });
        const includeUsage = stream_options?.include_usage === true;
        await sendChunks(events, frames, { head, includeUsage, markers });
      } else {
        const all = await collect(frames);
        response.json(toChatCompletion(head, completedFrame(all), { frames: all, markers }));
      }
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/v1/models')
    .get((request, response) => {
      const visible = listVisible(identityOf(request), knowledgeBases);
      response.json({ object: 'list', data: visible.map(toModel) });
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/v1/models/:model')
    .get((request, response) => {
      response.json(toModel(requireVisible(identityOf(request), knowledgeBases, request.params.model)));
    })
    .all(methodNotAllowed('GET'));

  return router;
}

/** An answer that fails after the reply has begun ends with an error event, which OpenAI clients throw. */
async function sendChunks(
  events: EventStream,
  frames: AsyncIterable<AnswerFrame>,
  { head, includeUsage, markers }: { head: CompletionHead; includeUsage: boolean; markers: boolean },
): Promise<void> {
  const send = (chunk: object): Promise<void> => events.send({ data: JSON.stringify(chunk) });
  const seen: AnswerFrame[] = [];
  try {
    await send(toChunk(head, { role: 'assistant', content: '' }));
    for await (const frame of frames) {
      seen.push(frame);
      if (frame.type === 'text-delta') await send(toChunk(head, { content: frame.text }));
      else if (frame.type === 'citation-added' && markers) {
        await send(toChunk(head, { content: toMarker(frame.n) }));
      }
    }
    const final = completedFrame(seen);
    await send({ ...toChunk(head, {}, finishReasonOf(final)), askbase: toAskbaseField(final, seen) });
    if (includeUsage) await send(toUsageChunk(head, final));
    await events.send({ data: '[DONE]' });
  } catch (thrown) {
    await send({ error: toOpenAiError(toPublicError(thrown), toAppError(thrown).status) });
    if (!(thrown instanceof AppError)) throw thrown;
  } finally {
    events.end();
  }
}

function toSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
