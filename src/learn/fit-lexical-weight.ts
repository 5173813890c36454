import { ordersOf } from '../rerank/lexical-weight.js';
import type { Candidate } from '../types.js';
import { documentsOf } from './documents-of.js';
import { type Judgements, measureRanking } from './ranking-metrics.js';

const WEIGHTS = [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1];

/** A reranked question and what is relevant to it. */
export interface RankedQuestion {
  candidates: readonly Candidate[];
  judgements: Judgements;
}

/** The weight of the lexical score beside the logit that gives the best mean NDCG@10; of equals the smallest. */
export function fitLexicalWeight(questions: readonly RankedQuestion[]): number {
  return WEIGHTS.reduce((best, weight) =>
    meanNdcg(questions, weight) > meanNdcg(questions, best) ? weight : best,
  );
}

/** Mean NDCG@10 of the candidates ordered with that weight; 0 without questions. */
export function meanNdcg(questions: readonly RankedQuestion[], weight: number): number {
  const gains = questions.map(
    ({ candidates, judgements }) =>
      measureRanking(documentsOf(ordered(candidates, weight)), judgements)['ndcg@10'],
  );
  return gains.reduce((sum, gain) => sum + gain, 0) / Math.max(1, gains.length);
}

function ordered(candidates: readonly Candidate[], weight: number): Candidate[] {
  const logits = candidates.map(({ scores }) => scores.rerank?.logit ?? 0);
  const orders = ordersOf(candidates, logits, weight);
  return candidates
    .map((candidate, at) => ({ candidate, order: orders[at] as number }))
    .sort((a, b) => b.order - a.order)
    .map(({ candidate }) => candidate);
}
