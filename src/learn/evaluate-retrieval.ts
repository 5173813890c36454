import { detectLanguage } from '../language.js';
import type { Reranker } from '../rerank/reranker.js';
import { scoreCandidates } from '../rerank/score-candidates.js';
import type { Analyzer } from '../retrieve/analyzer.js';
import type { Embedder } from '../retrieve/embedder.js';
import type { PassageIndex } from '../retrieve/passage-index.js';
import { fuseByReciprocalRank } from '../retrieve/reciprocal-rank-fusion.js';
import type { BeirDataset, BeirQuery } from './beir-dataset.js';
import { bootstrapMean, type Estimate } from './bootstrap.js';
import { documentsOf } from './documents-of.js';
import { type Judgements, METRIC_NAMES, measureRanking, type RankingMetrics } from './ranking-metrics.js';
import { searchDataset } from './search-dataset.js';

export const STAGES = ['lexical', 'dense', 'fused', 'reranked'] as const;
export type Stage = (typeof STAGES)[number];

/** One question as each stage answered it. */
export interface QuestionResult {
  query: BeirQuery;
  /** Document ids, best first, a document at the place of its best passage. */
  rankings: Partial<Record<Stage, string[]>>;
  metrics: Partial<Record<Stage, RankingMetrics>>;
  /** The reranker's sigmoid of each candidate, and whether its document is relevant. */
  scores: { sigmoid: number; relevant: boolean }[];
  /** What the last stage put first. */
  best?: { documentId: string; text: string };
  /** What it should have put first: the documents that are relevant. */
  relevant: { documentId: string; text: string }[];
}

export interface Evaluation {
  documents: number;
  passages: number;
  questions: QuestionResult[];
  /** Stages that ran: without an embedder or a reranker there are fewer. */
  stages: Partial<Record<Stage, Record<keyof RankingMetrics, Estimate>>>;
}

export interface EvaluateOptions {
  index: Pick<PassageIndex, 'search' | 'searchedWith'>;
  embedder: Embedder | null;
  reranker: Reranker | null;
  analyzer: Analyzer;
  knowledgeBase: string;
  /** Passages that were indexed. */
  passages: number;
  /** Hits per branch, and fused candidates that are reranked. */
  depth?: number;
  onProgress?: (progress: { done: number; total: number }) => void;
  signal: AbortSignal;
}

/** Asks every judged question the way the product does, and measures what each stage made of it. */
export async function evaluateRetrieval(dataset: BeirDataset, options: EvaluateOptions): Promise<Evaluation> {
  const questions: QuestionResult[] = [];
  const textOf = new Map(dataset.documents.map(({ id, text }) => [id, text]));
  for (const query of dataset.queries) {
    const judgements = dataset.judgements.get(query.id) ?? new Map();
    const relevant = [...judgements]
      .filter(([, gain]) => gain > 0)
      .map(([documentId]) => ({ documentId, text: textOf.get(documentId) ?? '' }));
    questions.push({ ...(await askEveryStage(query, judgements, options)), relevant });
    options.onProgress?.({ done: questions.length, total: dataset.queries.length });
  }
  const stages = Object.fromEntries(
    STAGES.filter((stage) => questions.some(({ metrics }) => metrics[stage] !== undefined)).map((stage) => [
      stage,
      summarize(questions.flatMap(({ metrics }) => metrics[stage] ?? [])),
    ]),
  );
  return { documents: dataset.documents.length, passages: options.passages, questions, stages };
}

async function askEveryStage(
  query: BeirQuery,
  judgements: Judgements,
  options: EvaluateOptions,
): Promise<Omit<QuestionResult, 'relevant'>> {
  const { embedder, reranker, depth = 50, signal } = options;
  const { hits } = await searchDataset(query.text, { ...options, limit: depth });
  const fused = fuseByReciprocalRank([hits], depth);
  const reranked =
    reranker === null
      ? null
      : await scoreCandidates({ text: query.text, language: detectLanguage(query.text) }, fused, {
          reranker,
          signal,
        });

  const rankings: QuestionResult['rankings'] = {
    lexical: documentsOf(hits.lexical),
    ...(embedder === null ? {} : { dense: documentsOf(hits.dense) }),
    fused: documentsOf(fused),
    ...(reranked === null ? {} : { reranked: documentsOf(reranked) }),
  };
  const [first] = reranked ?? fused;
  return {
    query,
    rankings,
    metrics: Object.fromEntries(
      Object.entries(rankings).map(([stage, ranking]) => [stage, measureRanking(ranking, judgements)]),
    ),
    scores: (reranked ?? []).map(({ passage, scores }) => ({
      sigmoid: scores.rerank?.sigmoid ?? 0,
      relevant: (judgements.get(passage.documentId) ?? 0) > 0,
    })),
    ...(first === undefined
      ? {}
      : { best: { documentId: first.passage.documentId, text: first.passage.text } }),
  };
}

function summarize(metrics: readonly RankingMetrics[]): Record<keyof RankingMetrics, Estimate> {
  const estimates = METRIC_NAMES.map((name) => [name, bootstrapMean(metrics.map((values) => values[name]))]);
  return Object.fromEntries(estimates) as Record<keyof RankingMetrics, Estimate>;
}
