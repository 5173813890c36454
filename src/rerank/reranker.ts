import type { Language, RerankScore } from '../types.js';
import type { AnswerabilityModel } from './answerability.js';
import type { PerLanguage } from './per-language.js';
import type { Threshold } from './threshold.js';

/** Reads question and passage together and says how relevant the passage is. */
export interface Reranker {
  readonly model: string;
  /** Cut on the sigmoid that the model's manifest carries: 0.5 unless calibrated. */
  readonly threshold: Threshold;
  /** By language of the question: says whether there is an answer at all. Absent where nobody has fitted it. */
  readonly answerability?: Partial<Record<Language, AnswerabilityModel | undefined>> | undefined;
  /** What a unit of the lexical score adds to the logit when candidates are put in order; none where absent. */
  readonly lexicalWeight?: PerLanguage | undefined;
  /**
   * One score per text, in input order. Throws AppError `unavailable` or `overloaded` (both retryable),
   * `timeout`, `stopped` when the signal aborts.
   */
  score(question: string, texts: readonly string[], options: { signal: AbortSignal }): Promise<RerankScore[]>;
}
