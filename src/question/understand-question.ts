import type { KnowledgeBase } from '../ingest/knowledge-base.js';
import type { Question, Turn } from '../types.js';

export interface QuestionInput {
  /** What the person wrote: not empty, at most `MAX_QUESTION_LENGTH`. */
  text: string;
  /** Earlier turns of the conversation, oldest first. */
  turns: readonly Turn[];
  knowledgeBase: KnowledgeBase;
}

/** One step of understanding, as the trace shows it. A step that is switched off, or had nothing to do it with, is absent. */
export interface UnderstandingStep {
  step:
    | 'normalization'
    | 'triage'
    | 'handoff'
    | 'anger'
    | 'spelling'
    | 'pinyin'
    | 'follow-up'
    | 'clarification'
    | 'translation'
    | 'lexicon'
    | 'faq';
  /** The question as the step found it. */
  before: string;
  /** What the step made of it: the question, the id of a red flag, the terms it adds. The same where it changed nothing. */
  after: string;
  /** Milliseconds. */
  ms: number;
}

export interface Understanding {
  question: Question;
  /** A red flag, a wish for a person, or something to ask back: answered at once with this text, without retrieval. */
  shortcut?: { reason: 'triage' | 'handoff' | 'clarification'; text: string };
  /** Whether the words are angry where a person can be brought: the question is answered all the same. */
  isAngry: boolean;
  /** In the order in which they ran. */
  steps: UnderstandingStep[];
  /** Names of what failed on the way and was done without. */
  degraded: string[];
}

/** Understands a question before anything is searched for. Throws only when the signal aborts (`stopped`). */
export type UnderstandQuestion = (
  input: QuestionInput,
  options: { signal: AbortSignal },
) => Promise<Understanding>;
