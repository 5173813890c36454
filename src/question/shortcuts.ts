import { type KnowledgeBase, localized } from '../ingest/knowledge-base.js';
import type { Language } from '../types.js';
import { saysOneOf } from './find-phrases.js';
import type { Understanding } from './understand-question.js';

type Shortcut = NonNullable<Understanding['shortcut']>;

/** What is answered at once, and what was recognised: `chest-pain`. */
export interface FoundShortcut {
  shortcut: Shortcut;
  found: string;
}

export function findRedFlag(
  text: string,
  { triage }: KnowledgeBase,
  language: Language,
): FoundShortcut | undefined {
  const redFlag = triage.find(({ phrases }) => saysOneOf(text, phrases));
  if (redFlag === undefined) return undefined;
  return { shortcut: { reason: 'triage', text: localized(redFlag.answer, language) }, found: redFlag.id };
}

/** Angry words bring a person, but the question still deserves its answer. */
export function isAngry(text: string, { handoff }: KnowledgeBase): boolean {
  return handoff !== undefined && saysOneOf(text, handoff.angerPhrases);
}

export function findHandoff(
  text: string,
  { handoff }: KnowledgeBase,
  language: Language,
): FoundShortcut | undefined {
  if (handoff === undefined || !saysOneOf(text, handoff.phrases)) return undefined;
  return { shortcut: { reason: 'handoff', text: localized(handoff.message, language) }, found: 'asked' };
}
