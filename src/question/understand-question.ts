import type { KnowledgeBase } from '../ingest/knowledge-base.js';
import type { Question, Turn } from '../types.js';

export interface QuestionInput {
  /** What the person wrote: not empty, at most `MAX_QUESTION_LENGTH`. */
  text: string;
  /** Earlier turns of the conversation, oldest first. */
  turns: readonly Turn[];
  knowledgeBase: KnowledgeBase;
}

export interface Understanding {
  question: Question;
  /** A red flag or a wish for a person: answered at once with this text, without retrieval. */
  shortcut?: { reason: 'triage' | 'handoff'; text: string };
  /** Names of what failed on the way and was done without. */
  degraded: string[];
}

/** Understands a question before anything is searched for. Throws only when the signal aborts (`stopped`). */
export type UnderstandQuestion = (
  input: QuestionInput,
  options: { signal: AbortSignal },
) => Promise<Understanding>;
