import { randomBytes } from 'node:crypto';
import { countTokens } from '../count-tokens.js';
import type { Source } from '../frames.js';
import { localized } from '../ingest/knowledge-base.js';
import type { Question, Turn } from '../types.js';
import { answerLanguage, isTraditional } from './answer-language.js';
import type { Answerer, AnswerRequest } from './answerer.js';
import type { ChatMessage, ChatModel } from './chat-model.js';
import type { Prompts } from './prompts.js';

/** Tokens of earlier turns that go along with a question, by `countTokens`. */
const HISTORY_TOKENS = 1_500;
/** An earlier answer is there to be referred to, not to be repeated. */
const HISTORY_ANSWER_CHARACTERS = 1_200;

export interface ModelAnswererOptions {
  chatModel: ChatModel;
  prompts: Prompts;
  /** Secret of one request that passages are fenced with; random unless a test says otherwise. */
  makeFence?: () => string;
}

/** Lets a language model write the answer from the sources. */
export function createModelAnswerer({
  chatModel,
  prompts,
  makeFence = randomFence,
}: ModelAnswererOptions): Answerer {
  return {
    mode: 'model',
    async *answer(request, { signal }) {
      const messages = writeMessages(request, prompts, makeFence());
      yield { type: 'prompt', messages };
      yield* chatModel.stream(messages, { signal });
    },
  };
}

/** All that an answer depends on but its question: the prompt without that, and the models. */
export function answerContext(
  request: AnswerRequest,
  { prompts, chatModel }: Pick<ModelAnswererOptions, 'prompts' | 'chatModel'>,
): string {
  const question = { ...request.question, text: '', standalone: '' };
  return JSON.stringify([chatModel.models, writeMessages({ ...request, question }, prompts, 'fence')]);
}

function randomFence(): string {
  return randomBytes(12).toString('hex');
}

function writeMessages(request: AnswerRequest, prompts: Prompts, fence: string): ChatMessage[] {
  const { question, sources, turns, knowledgeBase, images } = request;
  const language = answerLanguage(knowledgeBase, question.language);
  const languageName = nameLanguage(language, question);
  const system = prompts.render('answer', language, {
    knowledgeBase: localized(knowledgeBase.title, language),
    persona: localized(knowledgeBase.persona ?? {}, language),
    notice: localized(knowledgeBase.disclaimer ?? {}, language),
    answerLanguage: languageName,
    fence,
  });
  const content = prompts.render('question', language, {
    passages: sources.map((source) => fencePassage(source, fence)).join('\n\n'),
    question: writeQuestion(question),
    answerLanguage: languageName,
  });
  return [
    { role: 'system', content: system },
    ...boundHistory(turns),
    { role: 'user', content, ...(images.length === 0 ? {} : { images }) },
  ];
}

function nameLanguage(language: 'en' | 'zh', { text }: Question): string {
  if (language === 'en') return 'English';
  return isTraditional(text) ? '繁體中文' : '简体中文';
}

function fencePassage({ n, title, headings, text }: Source, fence: string): string {
  return `<passage n="${n}" key="${fence}">\n${[title, ...headings].join(' › ')}\n\n${text}\n</passage key="${fence}">`;
}

/** As it was asked; where that needs the conversation, with what it was understood to mean. */
function writeQuestion({ text, standalone }: Question): string {
  return text === standalone ? text : `${text}\n(= ${standalone})`;
}

/** The latest turns that fit, oldest first. */
function boundHistory(turns: readonly Turn[]): ChatMessage[] {
  const messages: ChatMessage[] = [];
  let left = HISTORY_TOKENS;
  for (const turn of turns.toReversed()) {
    const answer = shorten(turn.answer);
    left -= countTokens(turn.question) + countTokens(answer);
    if (left < 0) break;
    messages.unshift({ role: 'user', content: turn.question }, { role: 'assistant', content: answer });
  }
  return messages;
}

function shorten(answer: string): string {
  return answer.length <= HISTORY_ANSWER_CHARACTERS
    ? answer
    : `${answer.slice(0, HISTORY_ANSWER_CHARACTERS)}…`;
}
