import type { KnowledgeBase } from '../ingest/knowledge-base.js';
import { foldToSimplified, writeTraditional } from '../retrieve/opencc-folding.js';
import type { Language } from '../types.js';

/** The language to answer in: the question's, unless the knowledge base always answers in one. */
export function answerLanguage(
  { answerLanguage: wanted }: Pick<KnowledgeBase, 'answerLanguage'>,
  questionLanguage: Language,
): Language {
  return wanted === 'question' ? questionLanguage : wanted;
}

/** Whether a Chinese text is written in traditional characters. */
export function isTraditional(text: string): boolean {
  return foldToSimplified(text) !== text;
}

/** What we say to someone who writes traditional Chinese is written so too. For our own words only, never for quotes. */
export function inScriptOf(question: string, text: string): string {
  return isTraditional(question) ? writeTraditional(text) : text;
}
