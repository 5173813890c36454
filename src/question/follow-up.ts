import { detectLanguage } from '../language.js';
import type { Language } from '../types.js';
import { chineseFollowUp } from './chinese-follow-up.js';
import { englishFollowUp } from './english-follow-up.js';

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
  /** The question with the topic added. */
  addTopic(question: string, topic: string): string;
}

const RULES: Record<Language, FollowUpRules> = { en: englishFollowUp, zh: chineseFollowUp };

const PLEASANTRY =
  /^(?:(?:thanks?|thank you|many thanks|ok(?:ay)?|great|good|bye|goodbye|hello|hi|谢谢|多谢|謝謝|好的?|再见|你好|您好|嗯|知道了|明白了)[\s\p{P}]*)+$/iu;

/**
 * Writes a follow-up out as a question of its own, without a language model: the topic of the question before it
 * takes the place of a pronoun, or is added in brackets. A question that stands by itself is left as it is, so that
 * the conversation can change its subject.
 *
 * @param previous the last question, written out
 */
export function writeOutFollowUp(question: string, previous: string): string {
  const rules = RULES[detectLanguage(question)];
  if (PLEASANTRY.test(question) || !rules.needsContext(question)) return question;
  const topic = RULES[detectLanguage(previous)].findTopic(previous);
  if (topic.text === '') return question;
  const replaced = topic.isNoun ? rules.replacePronoun(question, topic.text) : undefined;
  return replaced ?? rules.addTopic(question, topic.text);
}
