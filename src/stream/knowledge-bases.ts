import { AppError } from '../errors.js';
import type { KnowledgeBase } from '../ingest/knowledge-base.js';

/** The knowledge bases that are served right now; what is returned may change between calls. */
export interface KnowledgeBases {
  get(id: string): KnowledgeBase | undefined;
  list(): readonly KnowledgeBase[];
}

/** Throws AppError `not-found` where there is none of that id. */
export function requireKnowledgeBase(knowledgeBases: Pick<KnowledgeBases, 'get'>, id: string): KnowledgeBase {
  const knowledgeBase = knowledgeBases.get(id);
  if (knowledgeBase === undefined) throw new AppError('not-found', 'There is no such knowledge base.');
  return knowledgeBase;
}
