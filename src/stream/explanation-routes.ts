import { Router } from 'express';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { AppError } from '../errors.js';
import { explainRelevance } from '../rerank/explain-relevance.js';
import type { Reranker } from '../rerank/reranker.js';
import type { Trace, TraceStore } from '../store/trace-store.js';
import type { RelevanceExplanation } from '../types.js';
import type { Access } from './access.js';
import { messageIdSchema } from './ask.js';
import { clientGoneSignal } from './client-gone.js';
import { identityOf, needs } from './identify.js';
import { parseInput } from './parse-input.js';
import { methodNotAllowed } from './request-errors.js';

export const explanationParamsSchema = z.object({
  messageId: messageIdSchema,
  passageId: z.string().min(1).max(200),
});

export const explanationReplySchema = z.object({
  model: z.string(),
  logit: z.number(),
  pieces: z.array(
    z.object({
      span: z.tuple([z.number().int().min(0), z.number().int().min(0)]),
      effect: z.number(),
    }),
  ),
});

const MOST_REMEMBERED = 500;

/** Which words of a passage counted, for somebody who looks at a trace. An explanation is computed once. */
export function createExplanationRoutes({
  access,
  traces,
  reranker,
}: {
  access: Access;
  traces: Pick<TraceStore, 'readTrace'>;
  reranker: Reranker | null;
}): Router {
  const explanations = new LRUCache<string, RelevanceExplanation>({ max: MOST_REMEMBERED });
  const router = Router();
  router
    .route('/v1/messages/:messageId/trace/passages/:passageId/explanation')
    .get(needs('search', 'operate'), async (request, response) => {
      const { messageId, passageId } = parseInput(explanationParamsSchema, request.params);
      await access.toMessage(identityOf(request), messageId);
      if (reranker === null) throw new AppError('unavailable', 'No reranker is configured.');
      const trace = await traces.readTrace(messageId);
      const candidate = trace?.candidates.find(({ passage }) => passage.id === passageId);
      if (trace === undefined || candidate === undefined) {
        throw new AppError('not-found', 'There is no such passage in the trace of such a message.');
      }
      const key = `${messageId} ${passageId}`;
      const known = explanations.get(key);
      const explanation =
        known ??
        (await explainRelevance(
          { question: rerankedQuestion(trace), passage: candidate.passage },
          { reranker, signal: clientGoneSignal(response) },
        ));
      explanations.set(key, explanation);
      response.json(explanation);
    })
    .all(methodNotAllowed('GET'));
  return router;
}

/** What the reranker read beside the passages. */
function rerankedQuestion({ question, understanding }: Trace): string {
  return understanding.find(({ step }) => step === 'translation')?.after ?? question.standalone;
}
