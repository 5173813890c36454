import { detectLanguage } from '../language.js';
import type { Language } from '../types.js';
import { chineseFollowUp } from './chinese-follow-up.js';
import { readCorrection } from './correction.js';
import { englishFollowUp } from './english-follow-up.js';
import { substitute } from './substitution.js';

/** What a conversation is about: words to carry over. */
export interface Topic {
  text: string;
  /** Whether the text names a thing, so that it can stand for a pronoun. */
  isNoun: boolean;
}

/** How one language refers back. All are pure functions of the text. */
export interface FollowUpRules {
  /** Whether the question cannot be understood without what was said before. */
  needsContext(question: string): boolean;
  /** What a question (already written out) is about; empty text where it names nothing. */
  findTopic(question: string): Topic;
  /** The question with its first pronoun replaced; undefined where it has none. */
  replacePronoun(question: string, noun: string): string | undefined;
  /** What is named where nothing else is said: "side brush" of "What about the side brush?"; else undefined. */
  readFragment(question: string): string | undefined;
  /** The question before with what the fragment names in the place of what it was about; undefined where unsure. */
  replaceSubject(previous: string, fragment: string): string | undefined;
  /** Whether the text has a verb of its own, as far as can be told. */
  isClause(text: string): boolean;
  /** The question with the topic added. */
  addTopic(question: string, topic: string): string;
}

const RULES: Record<Language, FollowUpRules> = { en: englishFollowUp, zh: chineseFollowUp };

const PLEASANTRY =
  /^(?:(?:thanks?|thank you|many thanks|ok(?:ay)?|great|good|bye|goodbye|hello|hi|谢谢|多谢|謝謝|好的?|再见|你好|您好|嗯|知道了|明白了)[\s\p{P}]*)+$/iu;

/** A correction that says all of it stands alone; else it takes its place in the question before. */
function correct(correction: string, previous: string): string {
  const rules = RULES[detectLanguage(correction)];
  const substituted = substitute(previous, correction);
  if (substituted !== undefined) return substituted;
  const topic = RULES[detectLanguage(previous)].findTopic(previous);
  const standsAlone = !rules.needsContext(correction) && rules.isClause(correction);
  const named = correction.replace(/[.。!！]+$/, '');
  return topic.text === '' || standsAlone ? correction : rules.addTopic(named, topic.text);
}

/**
 * Writes a follow-up out as a question of its own, without a language model: the topic of the question before it
 * takes the place of a pronoun, or is added in brackets. A question that stands by itself is left as it is, so that
 * the conversation can change its subject.
 *
 * @param previous the last question, written out
 */
export function writeOutFollowUp(question: string, previous: string): string {
  const language = detectLanguage(question);
  const rules = RULES[language];
  const correction = PLEASANTRY.test(question) ? undefined : readCorrection(question);
  if (correction !== undefined) return correct(correction, previous);
  if (PLEASANTRY.test(question) || !rules.needsContext(question)) return question;
  const fragment = rules.readFragment(question);
  const substituted =
    fragment === undefined
      ? undefined
      : (substitute(previous, fragment) ?? rules.replaceSubject(previous, fragment));
  if (substituted !== undefined) return substituted;
  const topic = RULES[detectLanguage(previous)].findTopic(previous);
  if (topic.text === '') return question;
  const replaced = topic.isNoun ? rules.replacePronoun(question, topic.text) : undefined;
  return replaced ?? rules.addTopic(question, topic.text);
}
