import type { Abstention, NoAnswerReason } from '../frames.js';
import { type KnowledgeBase, localized } from '../ingest/knowledge-base.js';
import { plainPhrase } from '../question/find-phrases.js';
import type { JudgedCandidate, Language } from '../types.js';
import { answerLanguage } from './answer-language.js';
import { nearestQuestions, nearestTopics } from './nearest-topics.js';

/** Enough to show what kind of question is answered here. */
const SUGGESTIONS = 2;

export interface AbstainRequest {
  /** `policy`: all of the answer was withheld. */
  reason: NoAnswerReason;
  knowledgeBase: KnowledgeBase;
  questionLanguage: Language;
  /** What was found and not relied on, best first. */
  candidates?: readonly JudgedCandidate[];
}

/** What to say, and the same in parts where the knowledge base was searched. */
export interface Abstaining {
  text: string;
  abstention?: Abstention;
}

const TEXTS: Record<Language, Record<NoAnswerReason, (title: string) => string>> = {
  en: {
    'no-hits': (title) => `I don't know. I found nothing about this in “${title}”.`,
    'below-threshold': (title) =>
      `I don't know. I looked through “${title}”, but nothing there answers this well enough for me to rely on it.`,
    'out-of-scope': (title) =>
      `I don't know. “${title}” has passages on similar matters, but it does not seem to answer this question.`,
    policy: (title) =>
      `I don't know. I wrote an answer from “${title}”, but its passages do not bear it out, so I keep it back.`,
    triage: () => 'Please turn to the emergency services or to a doctor with this.',
    clarification: () => 'Please tell me a little more.',
    'no-vision': () =>
      'I cannot look at pictures here: no model that sees is set up. Please describe in words what is to be seen.',
    operator: () => 'A colleague will answer.',
    'dependency-down': () =>
      "I can't look anything up right now, so I would rather not answer. Please try again in a moment.",
  },
  zh: {
    'no-hits': (title) => `我不知道。“${title}”里没有找到与此有关的内容。`,
    'below-threshold': (title) => `我不知道。我查了“${title}”，没有足够可靠的内容可以回答这个问题。`,
    'out-of-scope': (title) => `我不知道。“${title}”里有些相近的内容，但看来没有回答这个问题。`,
    policy: (title) => `我不知道。我根据“${title}”写了回答，但资料不足以支持它，所以没有给出。`,
    triage: () => '请就此联系急救或医生。',
    clarification: () => '请再多说一点。',
    'no-vision': () => '这里没有配置能看图片的模型，我看不了图片。请用文字描述您看到的情况。',
    operator: () => '同事会回复您。',
    'dependency-down': () => '我现在查不了资料，所以先不作回答。请稍后再试。',
  },
};

/**
 * What to say when there is no answer: plainly that there is none, then what comes nearest, what can be asked here and,
 * where it is offered, how to reach a person. In the question's language unless the knowledge base has one of its own.
 */
export function abstain({
  reason,
  knowledgeBase,
  questionLanguage,
  candidates = [],
}: AbstainRequest): Abstaining {
  const language = answerLanguage(knowledgeBase, questionLanguage);
  const statement = TEXTS[language][reason](localized(knowledgeBase.title, language));
  const handoffPhrase = plainPhrase(knowledgeBase.handoff?.phrases[language] ?? []);
  const offer = handoffPhrase === undefined ? '' : offerPerson(handoffPhrase, language);
  if (SAID_PLAINLY.has(reason)) return { text: statement };
  if (reason === 'dependency-down') return { text: paragraphs([statement, offer]) };

  const topics = nearestTopics(candidates, language);
  const suggestions = [
    ...new Set([...nearestQuestions(candidates, language), ...knowledgeBase.starters[language]]),
  ].slice(0, SUGGESTIONS);
  return {
    text: paragraphs([
      statement,
      list(NEAREST[language], topics.map(topicName)),
      suggest(suggestions, language),
      offer,
    ]),
    abstention: {
      bestScore: bestScore(candidates),
      nearestTopics: topics,
      suggestions,
      ...(handoffPhrase === undefined ? {} : { handoffPhrase }),
    },
  };
}

/** The knowledge base was not searched: there is nothing to say of what comes nearest. */
const SAID_PLAINLY: ReadonlySet<NoAnswerReason> = new Set([
  'triage',
  'clarification',
  'no-vision',
  'operator',
]);

const NEAREST: Record<Language, string> = {
  en: 'What I have that comes nearest is about:',
  zh: '与此最接近的内容有：',
};

/** Null where no reranker ran. */
function bestScore(candidates: readonly JudgedCandidate[]): number | null {
  const sigmoids = candidates.flatMap(({ scores }) => scores.rerank?.sigmoid ?? []);
  return sigmoids.length === 0 ? null : Math.max(...sigmoids);
}

function topicName({ title, headings }: Abstention['nearestTopics'][number]): string {
  return [...new Set([title, ...headings])].join(' › ');
}

function suggest(suggestions: readonly string[], language: Language): string {
  const [rephrase, ask] =
    language === 'en'
      ? ['You could put it in other words.', 'You could put it in other words, or ask something like:']
      : ['您可以换个说法再问一次。', '您可以换个说法再问一次，或者问问：'];
  return suggestions.length === 0 ? rephrase : list(ask, suggestions);
}

function offerPerson(phrase: string, language: Language): string {
  return language === 'en' ? `To reach a person, write “${phrase}”.` : `如需联系人工，请发送“${phrase}”。`;
}

/** Empty where there is nothing to list. */
function list(head: string, items: readonly string[]): string {
  return items.length === 0 ? '' : [head, ...items.map((item) => `- ${item}`)].join('\n');
}

function paragraphs(texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join('\n\n');
}
