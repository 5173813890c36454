import type { KnowledgeBase } from '../ingest/knowledge-base.js';
import type { Candidate, Question } from '../types.js';
import type { PassageFilter } from './passage-index.js';

export interface RetrieveOptions {
  knowledgeBase: KnowledgeBase;
  filter?: PassageFilter;
  signal: AbortSignal;
}

export interface Retrieval {
  /** Fused order, best first. */
  candidates: Candidate[];
  /**
   * `dense` where the embedder was missing or failed and only the lexical branch ran; `lexical` where the index was made
   * with an earlier analyzer and only the dense one did.
   */
  degraded: string[];
}

/** Searches both branches at once and fuses them. Throws what `PassageIndex.search` throws. */
export type RetrieveCandidates = (question: Question, options: RetrieveOptions) => Promise<Retrieval>;
