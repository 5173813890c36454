import type { KnowledgeBaseRegistry } from '../ingest/knowledge-base-registry.js';
import type { Steps } from '../pipeline.js';
import type { Reranker } from '../rerank/reranker.js';
import type { Analyzer } from '../retrieve/analyzer.js';
import type { Embedder } from '../retrieve/embedder.js';
import type { PassageIndex } from '../retrieve/passage-index.js';
import type { Estimate } from './bootstrap.js';

/** One figure about answers, from 0 to 1; the higher the better, except for a `cut`: that is where another was reached. */
export interface Measure extends Estimate {
  /** What `--min` names: `swapped-flagged`; what comes after a colon is a part of it: `swapped-flagged:near`. */
  name: string;
  /** The set or language it was measured on; `all` for everything together, which gates look at. */
  group: string;
  /** How many cases it is the mean of. */
  count: number;
}

export interface AnswerEvaluationOptions {
  /** Folders of labelled sets in the BEIR layout. */
  sets: readonly string[];
  index: PassageIndex;
  embedder: Embedder | null;
  reranker: Reranker | null;
  analyzer: Analyzer;
  knowledgeBases: Pick<KnowledgeBaseRegistry, 'get' | 'list' | 'ensure'>;
  /** The steps as the server takes them; their traces are dropped. */
  steps: Steps;
  /** Indexes the knowledge folder, once whoever calls it first; takes about a minute on two cores. */
  indexKnowledge: () => Promise<void>;
  /** Cases per set at most; all where absent. */
  limit?: number;
  onProgress?: (progress: { done: number; total: number }) => void;
  signal: AbortSignal;
}

/** One part of `askbase eval answers`. Throws AppError `invalid` where a set lacks what it needs. */
export type EvaluateAnswers = (options: AnswerEvaluationOptions) => Promise<Measure[]>;
