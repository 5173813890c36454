import type { CacheHit, Source, Usage } from '../frames.js';
import type { KnowledgeBase } from '../ingest/knowledge-base.js';
import type { Question, Turn } from '../types.js';
import type { ChatMessage } from './chat-model.js';

export interface AnswerRequest {
  messageId: string;
  /** Whose conversation it is: nobody gets an answer that was written for another. */
  owner: string;
  question: Question;
  /** The kept passages, numbered from 1; the answer cites them as `[n]`. Never empty. */
  sources: readonly Source[];
  /** Earlier turns of the conversation, oldest first. */
  turns: readonly Turn[];
  knowledgeBase: KnowledgeBase;
  /** Data URLs sent along with the question; empty where `seesImages` is false. */
  images: readonly string[];
  /** It was answered before, and another answer is wanted. */
  isRegenerated?: boolean;
}

/** Text carries citation markers `[n]`; `ground/` turns them into citations. */
export type AnswerEvent =
  | { type: 'text'; text: string }
  | { type: 'usage'; usage: Usage }
  /** The model was ended before it had come to its end. */
  | { type: 'cut-off' }
  /** What the language model is asked, before its first text. */
  | { type: 'prompt'; messages: readonly ChatMessage[] }
  /** The text that follows was written for an earlier question; no model is asked. */
  | { type: 'cached'; hit: CacheHit }
  /** Links and pictures to hosts that no passage names were taken out of the text. */
  | { type: 'links-removed'; count: number }
  /** Doses that no source names were taken out of the text. */
  | { type: 'doses-withheld'; count: number };

/** Writes the answer from the sources: with a language model, or by quoting (`extractive`). */
export interface Answerer {
  readonly mode: 'model' | 'extractive';
  /** Whether it can look at images; without, none are handed to it. */
  readonly seesImages: boolean;
  /** Throws what `ChatModel.stream` throws. */
  answer(request: AnswerRequest, options: { signal: AbortSignal }): AsyncIterable<AnswerEvent>;
}
