import type { PassageFilter, PassageIndex } from '../src/retrieve/passage-index.js';
import { fuseByReciprocalRank } from '../src/retrieve/reciprocal-rank-fusion.js';
import { FINGERPRINT, KNOWLEDGE_BASE, type SyntheticQuestion } from './index-corpus.js';

export interface MeasureOptions {
  /** How many are asked. */
  questions: number;
  /** Tells how far it is. */
  say: (line: string) => void;
}

/** Hits per branch, and fused candidates: what the retriever asks for. */
export const LIMIT = 50;
/** Questions asked before any is timed. */
export const WARM_UP = 20;
const { signal } = new AbortController();

/** Milliseconds for both branches and their fusion, as a question has it done; passages included. */
export async function timeHybrid(
  index: PassageIndex,
  { vector, terms }: SyntheticQuestion,
  filter?: PassageFilter,
): Promise<number> {
  const start = performance.now();
  const hits = await index.search(
    { dense: vector, lexical: new Map(terms.map((term) => [term, 1])), madeWith: FINGERPRINT },
    { knowledgeBase: KNOWLEDGE_BASE, limit: LIMIT, signal, ...(filter === undefined ? {} : { filter }) },
  );
  fuseByReciprocalRank([hits], LIMIT);
  return performance.now() - start;
}

/** Ids of the ten that the dense branch alone finds nearest. */
export async function findNearest(index: PassageIndex, { vector }: SyntheticQuestion): Promise<string[]> {
  const query = { dense: vector, lexical: new Map<string, number>(), madeWith: FINGERPRINT };
  const { dense } = await index.search(query, { knowledgeBase: KNOWLEDGE_BASE, limit: 10, signal });
  return dense.map(({ passage }) => passage.id);
}
