import { countTokens } from '../count-tokens.js';
import { AppError } from '../errors.js';
import type { Source } from '../frames.js';
import { createLeakWatch } from '../guard/leak-watch.js';
import { createLinkGuard } from '../guard/link-guard.js';
import { listHosts } from '../guard/listed-hosts.js';
import { createMask, type Mask } from '../guard/mask.js';
import { cleanText } from '../ingest/clean-text.js';
import { localized } from '../ingest/knowledge-base.js';
import type { Question, Turn } from '../types.js';
import { answerLanguage, isTraditional } from './answer-language.js';
import type { AnswerEvent, Answerer, AnswerRequest } from './answerer.js';
import type { ChatMessage, ChatModel } from './chat-model.js';
import { guardDoses } from './dose-guard.js';
import { randomFence } from './fence.js';
import type { Prompts } from './prompts.js';

/** Tokens of earlier turns that go along with a question, by `countTokens`. */
const HISTORY_TOKENS = 1_500;
/** An earlier answer is there to be referred to, not to be repeated. */
const HISTORY_ANSWER_CHARACTERS = 1_200;

export interface ModelAnswererOptions {
  chatModel: ChatModel;
  /** Looks at images; null where none of the models can. */
  visionModel: ChatModel | null;
  prompts: Prompts;
  /** Secret of one request that passages are fenced with; random unless a test says otherwise. */
  makeFence?: () => string;
}

/** Lets a language model write the answer from the sources. */
export function createModelAnswerer({
  chatModel,
  visionModel,
  prompts,
  makeFence = randomFence,
}: ModelAnswererOptions): Answerer {
  const modelFor = ({ images }: AnswerRequest): ChatModel =>
    images.length > 0 && visionModel !== null ? visionModel : chatModel;
  return {
    mode: 'model',
    seesImages: visionModel !== null,
    async *answer(request, { signal }) {
      const fence = makeFence();
      const mask = request.knowledgeBase.mask ? createMask() : NO_MASK;
      const { rules, messages } = writeMessages(request, prompts, { fence, hide: mask.hide });
      yield { type: 'prompt', messages };
      const links = createLinkGuard(listHosts(request.sources));
      const leaks = createLeakWatch({ prompt: rules, fence, known: knownTexts(request) });
      const countLinks = function* (): Generator<AnswerEvent> {
        if (links.removed > 0) yield { type: 'links-removed', count: links.removed };
      };
      const show = function* (text: string): Generator<AnswerEvent> {
        if (text === '') return;
        if (leaks.sees(text)) {
          yield* countLinks();
          throw new AppError(
            'model-failed',
            'The answer was withheld: it repeated what is not meant for readers.',
            {
              retryable: false,
            },
          );
        }
        yield { type: 'text', text };
      };
      for await (const event of guard(request, modelFor(request).stream(messages, { signal }))) {
        if (event.type === 'text') yield* show(links.push(mask.restore(event.text)));
        else yield event;
      }
      yield* show(links.push(mask.rest()) + links.finish());
      yield* countLinks();
    },
  };
}

/** All that an answer depends on but its question: the prompt without that, and the models. */
export function answerContext(
  request: AnswerRequest,
  { prompts, chatModel }: Pick<ModelAnswererOptions, 'prompts' | 'chatModel'>,
): string {
  const question = { ...request.question, text: '', standalone: '' };
  const { messages } = writeMessages({ ...request, question }, prompts, {
    fence: 'fence',
    hide: NO_MASK.hide,
  });
  return JSON.stringify([chatModel.models, messages]);
}

const NO_MASK: Mask = { hide: (text) => text, restore: (text) => text, rest: () => '' };

/** What an answer may repeat word for word, also where the rules say the same. */
function knownTexts({ question, sources, turns, knowledgeBase }: AnswerRequest): string[] {
  return [
    question.text,
    question.standalone,
    ...turns.flatMap((turn) => [turn.question, turn.answer]),
    ...sources.flatMap(({ title, headings, text }) => [title, ...headings, text]),
    ...Object.values(knowledgeBase.title),
    ...Object.values(knowledgeBase.disclaimer ?? {}),
  ].filter((text) => text !== undefined);
}

interface Writing {
  fence: string;
  /** Takes personal data out of what readers and passages say. */
  hide: (text: string) => string;
}

function writeMessages(
  request: AnswerRequest,
  prompts: Prompts,
  { fence, hide }: Writing,
): { rules: string; messages: ChatMessage[] } {
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
    passages: sources.map((source) => hide(fencePassage(source, fence))).join('\n\n'),
    question: hide(writeQuestion(question)),
    answerLanguage: languageName,
  });
  const messages: ChatMessage[] = [
    { role: 'system', content: system },
    ...boundHistory(turns, hide),
    { role: 'user', content, ...(images.length === 0 ? {} : { images }) },
  ];
  return { rules: system, messages };
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

/** The latest answered turns that fit, oldest first: what was not known then is looked up anew. */
function boundHistory(turns: readonly Turn[], hide: Writing['hide']): ChatMessage[] {
  const messages: ChatMessage[] = [];
  let left = HISTORY_TOKENS;
  for (const turn of turns.filter(({ unanswered }) => unanswered !== true).toReversed()) {
    const question = hide(cleanText(turn.question));
    const answer = hide(shorten(cleanText(turn.answer)));
    left -= countTokens(question) + countTokens(answer);
    if (left < 0) break;
    messages.unshift({ role: 'user', content: question }, { role: 'assistant', content: answer });
  }
  return messages;
}

function shorten(answer: string): string {
  return answer.length <= HISTORY_ANSWER_CHARACTERS
    ? answer
    : `${answer.slice(0, HISTORY_ANSWER_CHARACTERS)}…`;
}

/** Where the knowledge base says so, no dose passes that neither the passages nor the question name. */
function guard(
  { knowledgeBase, question, sources }: AnswerRequest,
  events: AsyncIterable<AnswerEvent>,
): AsyncIterable<AnswerEvent> {
  if (knowledgeBase.doses === 'free') return events;
  const given = [question.text, question.standalone, ...sources.map(({ text }) => text)];
  return guardDoses(events, { given, language: answerLanguage(knowledgeBase, question.language) });
}
