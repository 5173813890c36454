import { z } from 'zod';
import type { Language } from '../types.js';

/** One number for all questions, or one per language of the question. */
export function perLanguageSchema(value: z.ZodNumber) {
  return z.union([value, z.strictObject({ en: value.optional(), zh: value.optional() })]);
}

export type PerLanguage = z.infer<ReturnType<typeof perLanguageSchema>>;

/** The first that says something about the language. */
export function forLanguage(
  language: Language,
  ...values: readonly (PerLanguage | undefined)[]
): number | undefined {
  for (const value of values) {
    const found = typeof value === 'number' ? value : value?.[language];
    if (found !== undefined) return found;
  }
  return undefined;
}
