import { Router } from 'express';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { Reranker } from '../rerank/reranker.js';
import type { RerankScore } from '../types.js';
import { clientGoneSignal } from './client-gone.js';
import { needs } from './identify.js';
import { parseInput } from './parse-input.js';
import { methodNotAllowed } from './request-errors.js';

const MAX_DOCUMENTS = 1000;
const MAX_QUERY_LENGTH = 8000;
const MAX_DOCUMENT_LENGTH = 100_000;

const querySchema = z.string().trim().min(1).max(MAX_QUERY_LENGTH);
const textSchema = z.string().max(MAX_DOCUMENT_LENGTH);

/** Cohere's and Jina's request: a document is a text, or an object that holds one. */
export const rerankRequestSchema = z.object({
  model: z.string().optional(),
  query: querySchema,
  documents: z
    .array(z.union([textSchema, z.object({ text: textSchema })]))
    .min(1)
    .max(MAX_DOCUMENTS),
  /** Results that come back, best first; all where absent. */
  top_n: z.number().int().min(1).optional(),
  return_documents: z.boolean().default(false),
});

export const rerankReplySchema = z.object({
  model: z.string(),
  results: z.array(
    z.object({
      /** Place in `documents`. */
      index: z.number().int().min(0),
      relevance_score: z.number().min(0).max(1),
      document: z.object({ text: z.string() }).optional(),
    }),
  ),
});

/** The request of Text Embeddings Inference. */
export const teiRerankRequestSchema = z.object({
  query: querySchema,
  texts: z.array(textSchema).min(1).max(MAX_DOCUMENTS),
  /** Logits in place of sigmoids. */
  raw_scores: z.boolean().default(false),
  return_text: z.boolean().default(false),
  /** Long texts are read in windows, never refused; taken so that clients need not leave it out. */
  truncate: z.boolean().optional(),
  truncation_direction: z.string().optional(),
});

export const teiRerankReplySchema = z.array(
  z.object({ index: z.number().int().min(0), score: z.number(), text: z.string().optional() }),
);

/** The reranker as a service, in the shapes that clients of other services send. */
export function createRerankRoutes({ reranker }: { reranker: Reranker | null }): Router {
  const router = Router();
  router
    .route(['/v1/rerank', '/rerank', '/v2/rerank'])
    .post(needs('search'), async (request, response) => {
      const signal = clientGoneSignal(response);
      response.json(await rerank(reranker, request.body, signal));
    })
    .all(methodNotAllowed('POST'));
  return router;
}

async function rerank(reranker: Reranker | null, body: unknown, signal: AbortSignal): Promise<unknown> {
  const isTei = typeof body === 'object' && body !== null && 'texts' in body;
  return isTei
    ? rerankTei(reranker, parseInput(teiRerankRequestSchema, body), signal)
    : rerankCohere(reranker, parseInput(rerankRequestSchema, body), signal);
}

async function rerankCohere(
  reranker: Reranker | null,
  request: z.output<typeof rerankRequestSchema>,
  signal: AbortSignal,
): Promise<z.output<typeof rerankReplySchema>> {
  const texts = request.documents.map((document) =>
    typeof document === 'string' ? document : document.text,
  );
  const { model, score } = required(reranker);
  const scores = await score(request.query, texts, { signal });
  const results = bestFirst(scores)
    .slice(0, request.top_n)
    .map(({ index, sigmoid }) => ({
      index,
      relevance_score: sigmoid,
      ...(request.return_documents ? { document: { text: texts[index] as string } } : {}),
    }));
  return { model, results };
}

async function rerankTei(
  reranker: Reranker | null,
  request: z.output<typeof teiRerankRequestSchema>,
  signal: AbortSignal,
): Promise<z.output<typeof teiRerankReplySchema>> {
  const scores = await required(reranker).score(request.query, request.texts, { signal });
  return bestFirst(scores).map(({ index, sigmoid, logit }) => ({
    index,
    score: request.raw_scores ? logit : sigmoid,
    ...(request.return_text ? { text: request.texts[index] as string } : {}),
  }));
}

function required(reranker: Reranker | null): Reranker {
  if (reranker === null) throw new AppError('unavailable', 'No reranker is installed.', { retryable: false });
  return reranker;
}

function bestFirst(scores: readonly RerankScore[]): (RerankScore & { index: number })[] {
  return scores.map((score, index) => ({ ...score, index })).sort((a, b) => b.logit - a.logit);
}
