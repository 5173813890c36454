import { z } from 'zod';
import type { Language } from '../types.js';
import { forLanguage, type PerLanguage, perLanguageSchema } from './per-language.js';

/** A cut on the reranker's sigmoid: one for all questions, or one per language of the question. */
export const thresholdSchema = perLanguageSchema(z.number().min(0).max(1));

export type Threshold = PerLanguage;

const WITHOUT_CALIBRATION = 0.5;

/** The first threshold that says something about the language; 0.5 where none does. */
export function thresholdFor(language: Language, ...thresholds: readonly (Threshold | undefined)[]): number {
  return forLanguage(language, ...thresholds) ?? WITHOUT_CALIBRATION;
}
