import { z } from 'zod';
import { knowledgeBaseIdSchema } from '../ingest/knowledge-base.js';
import type { JudgedCandidate } from '../types.js';
import { MAX_QUESTION_LENGTH, writtenText } from './ask.js';

const conditions = z.array(z.string().min(1).max(512)).min(1).max(100);

/** What `POST /v1/search` takes. */
export const searchRequestSchema = z.strictObject({
  knowledgeBase: knowledgeBaseIdSchema,
  query: writtenText(MAX_QUESTION_LENGTH),
  /** All given conditions must hold. */
  filter: z
    .strictObject({
      documentIds: conditions.optional(),
      language: z.enum(['en', 'zh']).optional(),
      tags: conditions.optional(),
    })
    .optional(),
});

export type SearchRequest = z.output<typeof searchRequestSchema>;

export interface SearchReply {
  /** Every candidate in final order, with all scores and why it was kept or dropped. */
  candidates: JudgedCandidate[];
  /** The cut on the sigmoid that was in force; null where no reranker ran. */
  threshold: number | null;
  degraded: string[];
}

/** Retrieval and reranking without an answer. Throws what the steps throw. */
export type Search = (request: SearchRequest, options: { signal: AbortSignal }) => Promise<SearchReply>;
