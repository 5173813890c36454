import { z } from 'zod';
import type { Candidate } from '../types.js';
import { perLanguageSchema } from './per-language.js';

/** What a unit of the lexical score adds to the logit when candidates are put in order. */
export const lexicalWeightSchema = perLanguageSchema(z.number().min(0).max(10));

/**
 * What each candidate is put in order by, in input order: its logit plus its lexical score by that weight. One that the
 * lexical branch did not return scored no higher than the last that it did, and counts as that one.
 */
export function ordersOf(
  candidates: readonly Candidate[],
  logits: readonly number[],
  weight: number,
): number[] {
  const known = candidates.flatMap(({ scores }) => scores.lexical?.score ?? []);
  const least = known.length === 0 ? 0 : Math.min(...known);
  return candidates.map(
    ({ scores }, index) => (logits[index] as number) + weight * (scores.lexical?.score ?? least),
  );
}
