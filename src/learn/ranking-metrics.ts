/** Graded relevance of documents for one query; absent means 0. */
export type Judgements = ReadonlyMap<string, number>;

export interface RankingMetrics {
  /** Discounted cumulative gain of the first k over that of the ideal order. */
  'ndcg@10': number;
  /** 1 / rank of the first relevant document among the first k, else 0. */
  'mrr@10': number;
  /** Mean of the precisions at each relevant document's rank, over all relevant documents. */
  map: number;
  'hit@1': number;
  'recall@10': number;
  'recall@50': number;
  'precision@10': number;
  /** Harmonic mean of precision@10 and recall@10. */
  'f1@10': number;
}

export const METRIC_NAMES = [
  'ndcg@10',
  'mrr@10',
  'map',
  'hit@1',
  'recall@10',
  'recall@50',
  'precision@10',
  'f1@10',
] as const satisfies (keyof RankingMetrics)[];

/**
 * Measures one ranking as trec_eval does: linear gain, discount log2(rank + 1), and documents that were not
 * retrieved count as missed. Zero for a query without relevant documents.
 *
 * @param ranking document ids, best first, without repeats
 */
export function measureRanking(ranking: readonly string[], judgements: Judgements): RankingMetrics {
  const gains = ranking.map((id) => Math.max(0, judgements.get(id) ?? 0));
  const ideal = [...judgements.values()].filter((gain) => gain > 0).sort((a, b) => b - a);
  const relevant = ideal.length;
  const found = (k: number): number => gains.slice(0, k).filter((gain) => gain > 0).length;
  const recall = (k: number): number => ratio(found(k), relevant);
  const precision10 = found(10) / 10;
  const firstRank = gains.slice(0, 10).findIndex((gain) => gain > 0) + 1;

  return {
    'ndcg@10': ratio(discountedGain(gains, 10), discountedGain(ideal, 10)),
    'mrr@10': firstRank === 0 ? 0 : 1 / firstRank,
    map: averagePrecision(gains, relevant),
    'hit@1': found(1),
    'recall@10': recall(10),
    'recall@50': recall(50),
    'precision@10': precision10,
    'f1@10': ratio(2 * precision10 * recall(10), precision10 + recall(10)),
  };
}

function discountedGain(gains: readonly number[], k: number): number {
  return gains.slice(0, k).reduce((sum, gain, index) => sum + gain / Math.log2(index + 2), 0);
}

function averagePrecision(gains: readonly number[], relevant: number): number {
  let found = 0;
  let sum = 0;
  gains.forEach((gain, index) => {
    if (gain <= 0) return;
    found += 1;
    sum += found / (index + 1);
  });
  return ratio(sum, relevant);
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
