import type { Usage } from '../frames.js';

/** A figure that is read whenever somebody looks. */
export interface Gauge {
  /** `askbase_…`; one name once. */
  name: string;
  help: string;
  labelNames: readonly string[];
  read: () => readonly Figure[] | Promise<readonly Figure[]>;
}

export interface Figure {
  labels: Record<string, string>;
  value: number;
}

/** What is counted and measured about a running server. Labels come from small fixed sets, never from requests. */
export interface Metrics {
  /** `route` is the pattern that matched, not the path. */
  httpAnswered(request: { method: string; route: string; status: number; seconds: number }): void;
  /** `reason`: why there was no answer, or the code of the error; empty for an answer. */
  answerEnded(result: { status: 'answered' | 'no-answer' | 'failed'; reason: string }): void;
  stageEnded(stage: string, result: { outcome: 'ok' | 'failed'; seconds: number }): void;
  stageDegraded(stage: string): void;
  tokensUsed(usage: Usage): void;
  /** `amount` in the currency that all prices are configured in. */
  costArisen(cost: { model: string; amount: number }): void;
  citationsInvented(count: number): void;
  /** A question or passage that gives orders to a language model. */
  instructionsFound(where: 'question' | 'passage'): void;
  linksRemoved(count: number): void;
  sentenceChecked(verdict: 'supported' | 'weak' | 'unsupported'): void;
  watch(gauge: Gauge): void;
  /** All of it in the text format of Prometheus. */
  scrape(): Promise<{ contentType: string; text: string }>;
}
