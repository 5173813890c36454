import { passageSearchText } from '../passage-text.js';
import type { Candidate } from '../types.js';
import type { Reranker } from './reranker.js';
import { byRelevance } from './select-passages.js';

/** Candidates as the reranker scores them, the best first. Throws what `Reranker.score` throws. */
export async function scoreCandidates(
  question: string,
  candidates: readonly Candidate[],
  { reranker, signal }: { reranker: Pick<Reranker, 'score'>; signal: AbortSignal },
): Promise<Candidate[]> {
  if (candidates.length === 0) return [];
  const texts = candidates.map(({ passage }) => passageSearchText(passage));
  const scores = await reranker.score(question, texts, { signal });
  return candidates
    .map((candidate, index) => ({
      ...candidate,
      scores: { ...candidate.scores, rerank: { ...(scores[index] as (typeof scores)[number]), rank: 0 } },
    }))
    .sort(byRelevance)
    .map((candidate, index) => ({
      ...candidate,
      scores: { ...candidate.scores, rerank: { ...candidate.scores.rerank, rank: index + 1 } },
    }));
}
