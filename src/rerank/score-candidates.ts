import { passageSearchText } from '../passage-text.js';
import type { Candidate, Language } from '../types.js';
import { ordersOf } from './lexical-weight.js';
import { forLanguage } from './per-language.js';
import type { Reranker } from './reranker.js';
import { byRelevance } from './select-passages.js';

/** Candidates as the reranker scores them, the best first. Throws what `Reranker.score` throws. */
export async function scoreCandidates(
  question: { text: string; language: Language },
  candidates: readonly Candidate[],
  { reranker, signal }: { reranker: Pick<Reranker, 'score' | 'lexicalWeight'>; signal: AbortSignal },
): Promise<Candidate[]> {
  if (candidates.length === 0) return [];
  const texts = candidates.map(({ passage }) => passageSearchText(passage));
  const scores = await reranker.score(question.text, texts, { signal });
  const weight = forLanguage(question.language, reranker.lexicalWeight) ?? 0;
  const orders = ordersOf(
    candidates,
    scores.map(({ logit }) => logit),
    weight,
  );
  return candidates
    .map((candidate, index) => {
      const score = scores[index] as (typeof scores)[number];
      const order = orders[index] as number;
      return { ...candidate, scores: { ...candidate.scores, rerank: { ...score, order, rank: 0 } } };
    })
    .sort(byRelevance)
    .map((candidate, index) => ({
      ...candidate,
      scores: { ...candidate.scores, rerank: { ...candidate.scores.rerank, rank: index + 1 } },
    }));
}
