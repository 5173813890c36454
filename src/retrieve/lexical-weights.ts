/**
 * BM25, cut in two so that both engines give the same order: the weight of a term in a passage is computed here and
 * stored; the inverse document frequency is applied by the engine at search time as
 * ln(1 + (N - n + 0.5) / (n + 0.5)), where N counts all passages of the index and n those of the knowledge base that
 * hold the term.
 *
 * Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), section 3.
 */
const SATURATION = 1.2;
const LENGTH_PULL = 0.75;

/**
 * Terms in a typical passage: 300 tokens are about 140 terms in English and 330 in Chinese, where character pairs
 * are terms too. A constant, not the collection's true average: weights are stored, and must not change with every
 * passage that comes or goes.
 */
const TYPICAL_LENGTH = 200;

/** Terms of a passage or of a question: parallel arrays, ordered by key. */
export interface WeightedTerms {
  /** What `termKey` gives for the terms, unsigned 32-bit, without repeats. */
  keys: Uint32Array;
  weights: Float32Array;
}

/** Weights of a passage's analysed terms (repeats kept). */
export function weighPassageTerms(knowledgeBase: string, terms: readonly string[]): WeightedTerms {
  const counts = new Map<number, number>();
  for (const term of terms) {
    const key = termKey(knowledgeBase, term);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const length = 1 - LENGTH_PULL + (LENGTH_PULL * terms.length) / TYPICAL_LENGTH;
  const keys = Uint32Array.from(counts.keys()).sort();
  const weights = Float32Array.from(keys, (key) => {
    const count = counts.get(key) as number;
    return (count * (SATURATION + 1)) / (count + SATURATION * length);
  });
  return { keys, weights };
}

/** What a question's terms count (`Analyzer.weighQuestion`), however often they are said. Their idf comes on top. */
export function weighQuestionTerms(knowledgeBase: string, terms: ReadonlyMap<string, number>): WeightedTerms {
  const counts = new Map<number, number>();
  for (const [term, weight] of terms) {
    const key = termKey(knowledgeBase, term);
    counts.set(key, Math.max(weight, counts.get(key) ?? 0));
  }
  const keys = Uint32Array.from(counts.keys()).sort();
  return { keys, weights: Float32Array.from(keys, (key) => counts.get(key) as number) };
}

/** How telling a term is that `holders` of `passages` hold. Always above 0. */
export function inverseDocumentFrequency(passages: number, holders: number): number {
  return Math.log(1 + (passages - holders + 0.5) / (holders + 0.5));
}

/**
 * The 32-bit number that stands for a term of a knowledge base: FNV-1a over UTF-16 code units with the finaliser of
 * MurmurHash3. The knowledge base is part of it, so that a term's frequency is counted within its own knowledge
 * base: the words other tenants use do not shift a ranking. (Their number of passages does a little, by N in the
 * inverse document frequency: it adds nearly the same to every term.) Chance that a term of a question shares its
 * number with any of the V terms of the knowledge base: V / 2^32, 1 in 43,000 for 100,000 terms; what happens then is
 * that one wrong posting list joins a sum of many.
 */
export function termKey(knowledgeBase: string, term: string): number {
  let hash = 0x811c9dc5;
  const text = `${knowledgeBase}\0${term}`;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
