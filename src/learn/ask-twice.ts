import { detectLanguage } from '../language.js';
import { scoreCandidates } from '../rerank/score-candidates.js';
import { byRelevance } from '../rerank/select-passages.js';
import type { BranchHits } from '../retrieve/passage-index.js';
import { fuseByReciprocalRank } from '../retrieve/reciprocal-rank-fusion.js';
import type { Candidate } from '../types.js';
import type { BeirQuery } from './beir-dataset.js';
import type { EvaluateOptions } from './evaluate-retrieval.js';
import type { Judgements } from './ranking-metrics.js';
import { searchDataset } from './search-dataset.js';

/** A question as it is asked where its answer is in the index, and where it is not. */
export interface AskedTwice {
  query: BeirQuery;
  terms: string[];
  /** Reranked, best first. */
  answerable: Candidate[];
  unanswerable: Candidate[];
  judgements: Judgements;
  isRelevant: (candidate: Candidate) => boolean;
}

export type AskTwiceOptions = Pick<
  EvaluateOptions,
  'index' | 'embedder' | 'analyzer' | 'knowledgeBase' | 'depth' | 'signal'
> & { reranker: NonNullable<EvaluateOptions['reranker']> };

/** So many passages of relevant documents may be among the hits and still leave `depth` others. */
const SPARE = 20;

/**
 * Searches and reranks with and without the documents that answer the question. Without means: their hits are left
 * out and the others move up, which is what an index without them gives but for the inverse document frequencies.
 */
export async function askTwice(
  query: BeirQuery,
  judgements: Judgements,
  options: AskTwiceOptions,
): Promise<AskedTwice> {
  const { reranker, depth = 50, signal } = options;
  const { terms, hits } = await searchDataset(query.text, { ...options, limit: depth + SPARE });
  const isRelevant = ({ passage }: Pick<Candidate, 'passage'>): boolean =>
    (judgements.get(passage.documentId) ?? 0) > 0;
  const withAnswer = fuse(hits, depth, () => true);
  const without = fuse(hits, depth, (hit) => !isRelevant(hit));
  const known = new Set(withAnswer.map(({ passage }) => passage.id));
  const scored = await scoreCandidates(
    { text: query.text, language: detectLanguage(query.text) },
    [...withAnswer, ...without.filter(({ passage }) => !known.has(passage.id))],
    { reranker, signal },
  );
  const scoreOf = new Map(scored.map(({ passage, scores }) => [passage.id, scores.rerank]));
  const withScores = (candidates: readonly Candidate[]): Candidate[] =>
    candidates
      .map(({ passage, scores }) => {
        const rerank = scoreOf.get(passage.id);
        return { passage, scores: { ...scores, ...(rerank === undefined ? {} : { rerank }) } };
      })
      .sort(byRelevance);
  return {
    query,
    terms,
    answerable: withScores(withAnswer),
    unanswerable: withScores(without),
    judgements,
    isRelevant,
  };
}

function fuse(hits: BranchHits, depth: number, wanted: (hit: BranchHits['dense'][number]) => boolean) {
  const first = (branch: BranchHits['dense']): BranchHits['dense'] =>
    branch
      .filter(wanted)
      .slice(0, depth)
      .map((hit, index) => ({ ...hit, rank: index + 1 }));
  return fuseByReciprocalRank([{ lexical: first(hits.lexical), dense: first(hits.dense) }], depth);
}
