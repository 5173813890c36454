import { z } from 'zod';
import { isPhrase } from '../question/find-phrases.js';
import { ANGER, ASKS_FOR_PERSON } from '../question/handoff-phrases.js';
import { thresholdSchema } from '../rerank/threshold.js';
import type { Language } from '../types.js';

const localizedText = z
  .strictObject({ en: z.string().min(1).optional(), zh: z.string().min(1).optional() })
  .refine((text) => text.en !== undefined || text.zh !== undefined, 'needs a text in en or zh');

const localizedList = z.strictObject({
  en: z.array(z.string().min(1)).default([]),
  zh: z.array(z.string().min(1)).default([]),
});

/** As `find-phrases.ts` reads them: `neck + stiff|rigid` asks for both. */
const phrase = z.string().refine(isPhrase, 'a part of a phrase has no words');
const phraseLists = z.strictObject({ en: z.array(phrase).default([]), zh: z.array(phrase).default([]) });

/** Steps of understanding a question, each of which can be switched off. */
const understandingSchema = z.strictObject({
  /** Invisible characters and superfluous spaces go. */
  normalization: z.boolean().default(true),
  /** Red flags are answered at once. */
  triage: z.boolean().default(true),
  /** A wish for a person, or anger, is noticed. */
  handoff: z.boolean().default(true),
  /** English slips of the pen that can only mean a word of the documents. */
  spelling: z.boolean().default(true),
  /** Chinese words written with other characters of the same sound, and pinyin. */
  pinyin: z.boolean().default(true),
  /** A follow-up is written out as a question of its own. */
  followUps: z.boolean().default(true),
  /** The chat model translates a question for a knowledge base in another language. */
  translation: z.boolean().default(true),
  /** A curated answer to the very question that is asked is given as it stands. */
  faq: z.boolean().default(true),
  /** What is missing from a question is asked for (`clarify`). */
  clarification: z.boolean().default(true),
  /** `dictionary` and `synonyms` take part in the search. */
  lexicon: z.boolean().default(true),
});

/** `kb.yaml`: what a knowledge base says of itself. Everything but the title has a default. */
export const knowledgeBaseConfigSchema = z.strictObject({
  title: localizedText,
  description: localizedText.optional(),
  languages: z
    .array(z.enum(['en', 'zh']))
    .min(1)
    .default(['en', 'zh']),
  /** Language of the answers: the question's, or always one. */
  answerLanguage: z.enum(['question', 'en', 'zh']).default('question'),
  persona: localizedText.optional(),
  /** Questions a newcomer may click. */
  starters: localizedList.default({ en: [], zh: [] }),
  /** Cut on the reranker's sigmoid, one for all or one per language of the question; the model's own where absent. */
  threshold: thresholdSchema.optional(),
  /** Questions that are less likely to have an answer here get none; 0 asks for no such judgement. */
  answerability: z.number().min(0).max(1).optional(),
  /** Words the Chinese segmenter keeps whole. */
  dictionary: z.array(z.string().min(1)).default([]),
  /** Groups of terms that mean the same in lexical search. */
  synonyms: z.array(z.array(z.string().min(1)).min(2)).default([]),
  /** What becomes of a sentence that the passages do not support: shown, marked, or kept back. */
  grounding: z.enum(['show', 'mark', 'withhold']).default('mark'),
  /** Who decides on cited sentences that are `weak` by words and numbers: nobody else, or the chat model. */
  groundingJudge: z.enum(['signals', 'model']).default('signals'),
  /** Whether a question that stands alone may get the answer of an earlier one on the same passages. */
  answerCache: z.boolean().default(false),
  disclaimer: localizedText.optional(),
  /** Personal data is replaced before the language model sees it, and put back in the answer. */
  mask: z.boolean().default(false),
  /** Passages that give orders to a language model are left out when documents are read. */
  quarantine: z.boolean().default(false),
  /** Red flags that are answered at once, before retrieval. */
  triage: z
    .array(z.strictObject({ id: z.string().min(1), phrases: phraseLists, answer: localizedText }))
    .default([]),
  /** Cosine from which on a curated question counts as the one that was asked; the bundled embedder's where absent. */
  faqBar: z.number().min(0).max(1).optional(),
  understanding: understandingSchema.prefault({}),
  /** What to ask back, one thing at a time, where a question says one of `when` and none of `filledBy`. */
  clarify: z
    .array(
      z.strictObject({
        id: z.string().min(1),
        when: phraseLists,
        filledBy: phraseLists,
        ask: localizedText,
      }),
    )
    .max(20)
    .default([]),
  /** `passages-only`: a dose in an answer that no passage names is withheld. */
  doses: z.enum(['free', 'passages-only']).default('free'),
  handoff: z
    .strictObject({
      /** What asks for a person; how most people do where absent. */
      phrases: phraseLists.default(ASKS_FOR_PERSON),
      message: localizedText,
      /** Angry words bring a person too; the question is answered all the same. Two empty lists: never. */
      angerPhrases: phraseLists.default(ANGER),
      /** After so many questions in a row without an answer; 0: never. */
      afterNoAnswers: z.number().int().min(0).max(20).default(3),
    })
    .optional(),
});

export type KnowledgeBaseConfig = z.infer<typeof knowledgeBaseConfigSchema>;

export interface KnowledgeBase extends KnowledgeBaseConfig {
  /** Name of its folder: lower-case letters, digits and hyphens. */
  id: string;
}

/** Lower-case letters, digits and hyphens, 1 to 64, first a letter or digit. */
export const knowledgeBaseIdSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be lower-case letters, digits and hyphens, 64 at most');

/** The text in the wanted language, else in the other one. */
export function localized(text: Partial<Record<Language, string | undefined>>, language: Language): string {
  return text[language] ?? text.en ?? text.zh ?? '';
}
