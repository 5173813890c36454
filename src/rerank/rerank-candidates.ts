import type { KnowledgeBase } from '../ingest/knowledge-base.js';
import type { Candidate, JudgedCandidate, Question } from '../types.js';
import type { Answerability } from './answerability.js';

export interface Reranking {
  /** Every candidate, in the reranker's order (fused order where none ran), each with its decision. */
  candidates: JudgedCandidate[];
  /** The cut that was applied; null where no reranker ran, and then none was applied. */
  threshold: number | null;
  /** How likely an answer is; absent where no reranker ran or the one that ran has no model for it. */
  answerability?: Answerability;
  /** `rerank` where the reranker was missing or failed. */
  degraded: string[];
}

/** Scores, sorts and judges the candidates. Throws only when the signal aborts (`stopped`). */
export type RerankCandidates = (
  question: Question,
  candidates: readonly Candidate[],
  options: { knowledgeBase: KnowledgeBase; signal: AbortSignal },
) => Promise<Reranking>;
