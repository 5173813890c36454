import type { Caller } from '../telemetry/request-context.js';

/** What one socket, address or key may use. */
export interface Share {
  questionsPerMinute: number;
  /** Of the language model: prompts and answers. Known only afterwards: whoever has used them up waits. */
  tokensPerMinute: number;
  answersAtOnce: number;
}

/** A place for one answer; give it back exactly once. */
export interface Admission {
  release(used: { tokens: number }): void;
}

/** Keeps one caller from using what is there for all. */
export interface AnswerQuota {
  /**
   * Takes a question and a place for its answer from every share that the caller has. Throws AppError
   * `too-many-requests` with `retryAfterSeconds` where one is used up; then nothing stays taken but the question.
   */
  admit(caller: Caller): Promise<Admission>;
}
