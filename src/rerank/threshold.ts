import { z } from 'zod';
import type { Language } from '../types.js';

const probability = z.number().min(0).max(1);

/** A cut on the reranker's sigmoid: one for all questions, or one per language of the question. */
export const thresholdSchema = z.union([
  probability,
  z.strictObject({ en: probability.optional(), zh: probability.optional() }),
]);

export type Threshold = z.infer<typeof thresholdSchema>;

const WITHOUT_CALIBRATION = 0.5;

/** The first threshold that says something about the language; 0.5 where none does. */
export function thresholdFor(language: Language, ...thresholds: readonly (Threshold | undefined)[]): number {
  for (const threshold of thresholds) {
    const value = typeof threshold === 'number' ? threshold : threshold?.[language];
    if (value !== undefined) return value;
  }
  return WITHOUT_CALIBRATION;
}
