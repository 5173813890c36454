import type { NoAnswerReason } from '../frames.js';
import { type KnowledgeBase, localized } from '../ingest/knowledge-base.js';
import type { Language } from '../types.js';
import { answerLanguage } from './answer-language.js';

/** Enough to show what kind of question is answered here. */
const SUGGESTIONS = 2;

const TEXTS: Record<Language, Record<NoAnswerReason, (title: string) => string>> = {
  en: {
    'no-hits': (title) => `I don't know. I found nothing about this in “${title}”.`,
    'below-threshold': (title) =>
      `I don't know. I looked through “${title}”, but nothing there answers this well enough for me to rely on it.`,
    policy: () => "I can't answer that here.",
    triage: () => 'Please turn to the emergency services or to a doctor with this.',
    'dependency-down': () =>
      "I can't look anything up right now, so I would rather not answer. Please try again in a moment.",
  },
  zh: {
    'no-hits': (title) => `我不知道。“${title}”里没有找到与此有关的内容。`,
    'below-threshold': (title) => `我不知道。我查了“${title}”，没有足够可靠的内容可以回答这个问题。`,
    policy: () => '这个问题我不能在这里回答。',
    triage: () => '请就此联系急救或医生。',
    'dependency-down': () => '我现在查不了资料，所以先不作回答。请稍后再试。',
  },
};

/**
 * What to say when there is no answer: plainly that there is none, then what can be asked here and, where it is
 * offered, how to reach a person. In the question's language unless the knowledge base has one of its own.
 */
export function abstain(
  reason: NoAnswerReason,
  knowledgeBase: KnowledgeBase,
  questionLanguage: Language,
): string {
  const language = answerLanguage(knowledgeBase, questionLanguage);
  const statement = TEXTS[language][reason](localized(knowledgeBase.title, language));
  const isAboutContent = reason === 'no-hits' || reason === 'below-threshold';
  return [
    statement,
    ...(isAboutContent ? [suggest(knowledgeBase, language)] : []),
    ...(isAboutContent || reason === 'dependency-down' ? [offerPerson(knowledgeBase, language)] : []),
  ]
    .filter((paragraph) => paragraph !== '')
    .join('\n\n');
}

function suggest({ starters }: KnowledgeBase, language: Language): string {
  const examples = starters[language].slice(0, SUGGESTIONS).map((starter) => `- ${starter}`);
  const [rephrase, ask] =
    language === 'en'
      ? ['You could put it in other words.', 'You could put it in other words, or ask something like:']
      : ['您可以换个说法再问一次。', '您可以换个说法再问一次，或者问问：'];
  return examples.length === 0 ? rephrase : [ask, ...examples].join('\n');
}

function offerPerson({ handoff }: KnowledgeBase, language: Language): string {
  const [phrase] = handoff?.phrases[language] ?? [];
  if (phrase === undefined) return '';
  return language === 'en' ? `To reach a person, write “${phrase}”.` : `如需联系人工，请发送“${phrase}”。`;
}
