import { toAppError } from '../errors.js';
import { passageSearchText } from '../passage-text.js';
import type { Logger } from '../telemetry/logger.js';
import type { Candidate, RerankScore } from '../types.js';
import type { RerankCandidates } from './rerank-candidates.js';
import type { Reranker } from './reranker.js';
import { byRelevance, DEFAULT_LIMITS, type SelectionLimits, selectPassages } from './select-passages.js';

export interface CandidateRerankerOptions {
  /** Null where none is installed: the fused order stands. */
  reranker: Reranker | null;
  logger: Logger;
  limits?: SelectionLimits;
  /** A question that waits longer goes on in fused order. */
  timeoutMs?: number;
}

/** Reads each candidate beside the question and keeps what is relevant; without a reranker the fused order stands. */
export function createCandidateReranker(options: CandidateRerankerOptions): RerankCandidates {
  const { reranker, logger, limits = DEFAULT_LIMITS, timeoutMs = 15_000 } = options;
  return async (question, candidates, { knowledgeBase, signal }) => {
    const inFusedOrder = (): ReturnType<RerankCandidates> =>
      Promise.resolve({
        candidates: selectPassages(candidates, { threshold: null, limits }),
        threshold: null,
        degraded: ['rerank'],
      });
    if (reranker === null) return inFusedOrder();

    const threshold = knowledgeBase.threshold ?? reranker.threshold;
    if (candidates.length === 0) return { candidates: [], threshold, degraded: [] };
    try {
      const scores = await reranker.score(
        question.standalone,
        candidates.map(({ passage }) => passageSearchText(passage)),
        { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) },
      );
      const scored = withScores(candidates, scores);
      return { candidates: selectPassages(scored, { threshold, limits }), threshold, degraded: [] };
    } catch (thrown) {
      const error = toAppError(thrown);
      if (signal.aborted) throw error;
      logger.warn('The reranker failed; the fused order stands.', { model: reranker.model, error });
      return inFusedOrder();
    }
  };
}

function withScores(candidates: readonly Candidate[], scores: readonly RerankScore[]): Candidate[] {
  return candidates
    .map((candidate, index) => ({
      ...candidate,
      scores: { ...candidate.scores, rerank: { ...(scores[index] as RerankScore), rank: 0 } },
    }))
    .sort(byRelevance)
    .map((candidate, index) => ({
      ...candidate,
      scores: { ...candidate.scores, rerank: { ...candidate.scores.rerank, rank: index + 1 } },
    }));
}
