import type { CacheHit, NoAnswerReason, Timings, Usage } from '../frames.js';
import type { Judgement } from '../ground/judge-weak-sentences.js';
import type { UnderstandingStep } from '../question/understand-question.js';
import type { Answerability } from '../rerank/answerability.js';
import type { JudgedCandidate, Question } from '../types.js';

/** A text that gives orders to a language model. */
export interface Suspicion {
  where: 'question' | 'passage';
  /** Of the passage. */
  passageId?: string;
  /** Names of what was found: `ignore-rules`, `show-prompt`, … */
  signs: string[];
}

/** Everything that can be said about how one answer came about. */
export interface Trace {
  messageId: string;
  conversationId: string;
  knowledgeBase: string;
  question: Question;
  /** How the question was understood, step by step. */
  understanding: UnderstandingStep[];
  mode: 'model' | 'extractive';
  /** Every candidate of retrieval in final order, with all scores and why it was kept or dropped. */
  candidates: JudgedCandidate[];
  /** The cut on the sigmoid that was in force; null where no reranker ran. */
  threshold: number | null;
  /** How likely it was that there is an answer, and from what; absent where that was not judged. */
  answerability?: Answerability;
  status: 'answered' | 'no-answer' | 'failed';
  reason?: NoAnswerReason;
  /** Milliseconds per stage. */
  timings: Timings;
  degraded: string[];
  embedder: string | null;
  reranker: string | null;
  /** Device the reranker ran on: 'cpu', 'webgpu', …; null where none ran. */
  device: string | null;
  usage?: Usage;
  /** Price of the tokens, in the currency of CHAT_PRICES; absent where the model has no price there. */
  cost?: number;
  /** What the language model was asked, without secrets and personal data; absent where none was. */
  prompt?: { role: 'system' | 'user' | 'assistant'; content: string }[];
  /** The model was ended before it had come to its end. */
  cutOff?: true;
  /** The answer was written for an earlier question. */
  cache?: CacheHit;
  /** Absent where no sources were found. */
  suspicions?: Suspicion[];
  /** Links and pictures that the model wrote and no passage names; absent where there were none. */
  linksRemoved?: number;
  /** Sentences that were weak by the signals, and what the chat model said of them; absent where it was not asked. */
  judgements?: Judgement[];
  /** Doses that no source named and that were taken out of the answer. */
  withheldDoses?: number;
  at: string;
}

/** Traces, one per message. Bounded: the oldest go first. */
export interface TraceStore {
  /** A trace of a message that is not there (its conversation was deleted meanwhile) is dropped. */
  writeTrace(trace: Trace): Promise<void>;
  readTrace(messageId: string): Promise<Trace | undefined>;
}
