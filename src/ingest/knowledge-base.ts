import { z } from 'zod';
import { thresholdSchema } from '../rerank/threshold.js';
import type { Language } from '../types.js';

const localizedText = z
  .strictObject({ en: z.string().min(1).optional(), zh: z.string().min(1).optional() })
  .refine((text) => text.en !== undefined || text.zh !== undefined, 'needs a text in en or zh');

const localizedList = z.strictObject({
  en: z.array(z.string().min(1)).default([]),
  zh: z.array(z.string().min(1)).default([]),
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
  /** Whether a question that stands alone may get the answer of an earlier one on the same passages. */
  answerCache: z.boolean().default(false),
  disclaimer: localizedText.optional(),
  /** Personal data is replaced before the language model sees it, and put back in the answer. */
  mask: z.boolean().default(false),
  /** Passages that give orders to a language model are left out when documents are read. */
  quarantine: z.boolean().default(false),
  /** Red flags that are answered at once, before retrieval. */
  triage: z
    .array(z.strictObject({ id: z.string().min(1), phrases: localizedList, answer: localizedText }))
    .default([]),
  handoff: z.strictObject({ phrases: localizedList, message: localizedText }).optional(),
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
