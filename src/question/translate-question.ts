import { LRUCache } from 'lru-cache';
import { randomFence } from '../answer/fence.js';
import { askForOneLine, type OneLineOptions } from '../answer/one-line-reply.js';
import type { Prompts } from '../answer/prompts.js';
import type { KnowledgeBase } from '../ingest/knowledge-base.js';
import { detectLanguage } from '../language.js';
import type { Language } from '../types.js';

const REMEMBERED = 1000;
/** Share of passages in a language below which a knowledge base has next to nothing in it. */
const NEXT_TO_NOTHING = 0.05;

/**
 * The language that a question has to be searched in besides its own: that of the knowledge base, where it has next to
 * nothing in the question's.
 *
 * @param passages how many there are in each language; null where that is not known
 */
export function languageToSearch(
  asked: Language,
  { languages }: Pick<KnowledgeBase, 'languages'>,
  passages: Readonly<Record<Language, number>> | null,
): Language | null {
  const other = asked === 'en' ? 'zh' : 'en';
  if (!languages.includes(asked)) return other;
  if (passages === null || passages[other] === 0) return null;
  return passages[asked] / (passages.en + passages.zh) < NEXT_TO_NOTHING ? other : null;
}

/**
 * Gives a question in another language; null where the reply is not in that language. Throws as `askForOneLine` does.
 */
export type TranslateQuestion = (
  question: string,
  language: Language,
  options: OneLineOptions,
) => Promise<string | null>;

/** Asks the chat model once for each question and language. */
export function createTranslateQuestion(prompts: Prompts): TranslateQuestion {
  const translations = new LRUCache<string, { text: string | null }>({ max: REMEMBERED });
  return async (question, language, options) => {
    const key = `${language} ${question}`;
    const known = translations.get(key);
    if (known !== undefined) return known.text;
    const prompt = prompts.render('translate-question', language, {
      question: options.mask?.hide(question) ?? question,
      fence: randomFence(),
    });
    const reply = await askForOneLine(prompt, options);
    const text = detectLanguage(reply) === language ? reply : null;
    translations.set(key, { text });
    return text;
  };
}
