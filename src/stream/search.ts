import { detectLanguage } from '../language.js';
import type { Steps } from '../pipeline.js';
import { type KnowledgeBases, requireKnowledgeBase } from './knowledge-bases.js';
import type { Search } from './search-service.js';

export interface SearchOptions {
  steps: Pick<Steps, 'retrieve' | 'rerank'>;
  knowledgeBases: Pick<KnowledgeBases, 'get'>;
}

/** The first half of the pipeline, for those who want passages and not an answer. */
export function createSearch({ steps, knowledgeBases }: SearchOptions): Search {
  return async ({ knowledgeBase: id, query, filter }, { signal }) => {
    const knowledgeBase = requireKnowledgeBase(knowledgeBases, id);
    const question = { text: query, standalone: query, language: detectLanguage(query) };
    const conditions = Object.fromEntries(
      Object.entries(filter ?? {}).filter(([, value]) => value !== undefined),
    );
    const { candidates, degraded } = await steps.retrieve(question, {
      knowledgeBase,
      filter: conditions,
      signal,
    });
    const reranking = await steps.rerank(question, candidates, { knowledgeBase, signal });
    return { ...reranking, degraded: [...degraded, ...reranking.degraded] };
  };
}
