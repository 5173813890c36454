import { z } from 'zod';
import type { Candidate, Language } from '../types.js';

const weight = z.number().min(0).max(10);

/** One for all questions, or one per language of the question; a language without one has 0. */
export const lexicalWeightSchema = z.union([
  weight,
  z.strictObject({ en: weight.optional(), zh: weight.optional() }),
]);

export type LexicalWeight = z.infer<typeof lexicalWeightSchema>;

export function lexicalWeightFor(language: Language, weights: LexicalWeight | undefined): number {
  return (typeof weights === 'number' ? weights : weights?.[language]) ?? 0;
}

/**
 * The lexical score of each candidate, in input order. One that the lexical branch did not return scored no higher than
 * the last that it did, and counts as that one.
 */
export function lexicalScoresOf(candidates: readonly Candidate[]): number[] {
  const known = candidates.flatMap(({ scores }) => scores.lexical?.score ?? []);
  const least = known.length === 0 ? 0 : Math.min(...known);
  return candidates.map(({ scores }) => scores.lexical?.score ?? least);
}
