import { inverseDocumentFrequency, type WeightedTerms } from './lexical-weights.js';
import type { PassageFilter } from './passage-index.js';
import { compareIds } from './reciprocal-rank-fusion.js';

/** A passage as the search space holds it. */
export interface SpacePassage {
  /** Number of its row, unique in the index. */
  number: number;
  /** Passage id: the order of ties. */
  id: string;
  documentId: string;
  language: string;
  tags: readonly string[];
  vector: Float32Array | null;
  terms: WeightedTerms;
}

export interface SpaceHit {
  number: number;
  score: number;
}

/**
 * The passages of one knowledge base in memory, in the form that both branches search fastest: vectors side by side,
 * terms as posting lists. Both are exact: every passage that passes the filter is looked at.
 */
export interface SearchSpace {
  add(passage: SpacePassage): void;
  remove(number: number): void;
  /** Passages that have terms: what the inverse document frequency counts. */
  readonly withTerms: number;
  readonly size: number;
  /** BM25, best first. `passages` counts the passages with terms of the whole index. */
  searchLexical(keys: Uint32Array, passages: number, options: SpaceSearchOptions): SpaceHit[];
  /** Cosine, best first. */
  searchDense(vector: Float32Array, options: SpaceSearchOptions): SpaceHit[];
}

interface SpaceSearchOptions {
  filter: PassageFilter | undefined;
  limit: number;
}

interface Posting {
  /** Places of the passages that hold the term, some of them vacant by now. */
  places: Uint32Array;
  weights: Float32Array;
  length: number;
}

interface Entry extends Omit<SpacePassage, 'vector' | 'terms'> {
  hasVector: boolean;
  hasTerms: boolean;
}

/** Vectors grow by blocks of this many, so that growing never copies them. */
const BLOCK = 1024;
/** Vacant places are closed up when they are this many and outnumber the taken ones. */
const MIN_VACANT = 1024;

export function createSearchSpace(dimensions: number): SearchSpace {
  let entries: (Entry | undefined)[] = [];
  let blocks: Float32Array[] = [];
  let postings = new Map<number, Posting>();
  const places = new Map<number, number>();
  let withTerms = 0;

  const vectorAt = (place: number, from: readonly Float32Array[]): Float32Array => {
    const offset = (place % BLOCK) * dimensions;
    return (from[Math.floor(place / BLOCK)] as Float32Array).subarray(offset, offset + dimensions);
  };

  const take = (entry: Entry, vector: Float32Array | null): number => {
    const place = entries.length;
    entries.push(entry);
    places.set(entry.number, place);
    if (place % BLOCK === 0) blocks.push(new Float32Array(BLOCK * dimensions));
    if (vector !== null) vectorAt(place, blocks).set(vector);
    if (entry.hasTerms) withTerms += 1;
    return place;
  };

  const closeUp = (): void => {
    const before = { entries, blocks, postings };
    const moved = new Map<number, number>();
    [entries, blocks, postings, withTerms] = [[], [], new Map(), 0];
    places.clear();
    before.entries.forEach((entry, place) => {
      if (entry !== undefined) moved.set(place, take(entry, vectorAt(place, before.blocks)));
    });
    for (const [key, posting] of before.postings) {
      for (let index = 0; index < posting.length; index += 1) {
        const place = moved.get(posting.places[index] as number);
        if (place !== undefined) addPosting(postings, key, place, posting.weights[index] as number);
      }
    }
  };

  return {
    add: ({ vector, terms, ...fields }) => {
      const place = take({ ...fields, hasVector: vector !== null, hasTerms: terms.keys.length > 0 }, vector);
      terms.keys.forEach((key, index) => {
        addPosting(postings, key, place, terms.weights[index] as number);
      });
    },
    remove: (number) => {
      const place = places.get(number);
      if (place === undefined) return;
      if (entries[place]?.hasTerms === true) withTerms -= 1;
      entries[place] = undefined;
      places.delete(number);
      const vacant = entries.length - places.size;
      if (vacant > MIN_VACANT && vacant > places.size) closeUp();
    },
    get withTerms() {
      return withTerms;
    },
    get size() {
      return places.size;
    },
    searchLexical: (keys, passages, { filter, limit }) => {
      const scores = new Float64Array(entries.length);
      const found: number[] = [];
      for (const key of keys) {
        const posting = postings.get(key);
        if (posting === undefined) continue;
        const taken = countTaken(posting, entries);
        const idf = inverseDocumentFrequency(passages, taken);
        for (let index = 0; index < posting.length; index += 1) {
          const place = posting.places[index] as number;
          if (scores[place] === 0) found.push(place);
          (scores[place] as number) += idf * (posting.weights[index] as number);
        }
      }
      const best = createRanking(limit);
      const passes = passesFilter(filter);
      for (const place of found) {
        const entry = entries[place];
        if (entry !== undefined && passes(entry)) best.offer(entry, scores[place] as number);
      }
      return best.hits();
    },
    searchDense: (vector, { filter, limit }) => {
      const best = createRanking(limit);
      const passes = passesFilter(filter);
      entries.forEach((entry, place) => {
        if (entry?.hasVector !== true || !passes(entry)) return;
        const block = blocks[Math.floor(place / BLOCK)] as Float32Array;
        best.offer(entry, dotProduct(vector, block, (place % BLOCK) * dimensions));
      });
      return best.hits();
    },
  };
}

function addPosting(postings: Map<number, Posting>, key: number, place: number, weight: number): void {
  let posting = postings.get(key);
  if (posting === undefined) {
    posting = { places: new Uint32Array(2), weights: new Float32Array(2), length: 0 };
    postings.set(key, posting);
  }
  if (posting.length === posting.places.length) {
    const capacity = posting.length * 2;
    const { places, weights } = posting;
    posting.places = new Uint32Array(capacity);
    posting.places.set(places);
    posting.weights = new Float32Array(capacity);
    posting.weights.set(weights);
  }
  posting.places[posting.length] = place;
  posting.weights[posting.length] = weight;
  posting.length += 1;
}

function countTaken({ places, length }: Posting, entries: readonly (Entry | undefined)[]): number {
  let taken = 0;
  for (let index = 0; index < length; index += 1) {
    if (entries[places[index] as number] !== undefined) taken += 1;
  }
  return taken;
}

/** Four sums at a time: V8 keeps them in registers, which takes half the time of one. */
function dotProduct(vector: Float32Array, block: Float32Array, offset: number): number {
  const { length } = vector;
  let [a, b, c, d] = [0, 0, 0, 0];
  let index = 0;
  for (; index + 3 < length; index += 4) {
    a += (vector[index] as number) * (block[offset + index] as number);
    b += (vector[index + 1] as number) * (block[offset + index + 1] as number);
    c += (vector[index + 2] as number) * (block[offset + index + 2] as number);
    d += (vector[index + 3] as number) * (block[offset + index + 3] as number);
  }
  for (; index < length; index += 1) a += (vector[index] as number) * (block[offset + index] as number);
  return a + b + (c + d);
}

function passesFilter(filter: PassageFilter = {}): (entry: Entry) => boolean {
  const documents = filter.documentIds === undefined ? undefined : new Set(filter.documentIds);
  const tags = filter.tags === undefined ? undefined : new Set(filter.tags);
  return (entry) =>
    (documents === undefined || documents.has(entry.documentId)) &&
    (filter.language === undefined || entry.language === filter.language) &&
    (tags === undefined || entry.tags.some((tag) => tags.has(tag)));
}

/** Keeps the best `limit` offers, ordered by score, ties by passage id. */
function createRanking(limit: number): {
  offer(entry: Entry, score: number): void;
  hits(): SpaceHit[];
} {
  const ranked: { entry: Entry; score: number }[] = [];
  const isBefore = (score: number, entry: Entry, other: { entry: Entry; score: number }): boolean =>
    score > other.score || (score === other.score && compareIds(entry.id, other.entry.id) < 0);
  return {
    offer: (entry, score) => {
      let place = ranked.length;
      while (place > 0 && isBefore(score, entry, ranked[place - 1] as { entry: Entry; score: number })) {
        place -= 1;
      }
      if (place >= limit) return;
      ranked.splice(place, 0, { entry, score });
      if (ranked.length > limit) ranked.pop();
    },
    hits: () => ranked.map(({ entry, score }) => ({ number: entry.number, score })),
  };
}
