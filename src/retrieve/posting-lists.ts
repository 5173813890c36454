import { type BestHits, createBestHits } from './best-hits.js';
import { inverseDocumentFrequency, type WeightedTerms } from './lexical-weights.js';
import { orderByKey } from './order-by-key.js';

/**
 * Which places hold a term, with what weight; searched exactly. Terms are taken from the most to the least telling.
 * Once those left could not lift a place that has none so far among the best, they are looked up only for places that
 * have some (max-score, a term at a time: Turtle and Flood, "Query Evaluation: Strategies and Optimizations", 1995).
 *
 * Postings wait until something is asked or there are many: reading a whole index then touches each list a few times
 * instead of once a posting, at the price of a sort.
 */
export interface PostingLists {
  /** Places come in ascending order. */
  add(place: number, terms: WeightedTerms): void;
  /** Files what waits; a search does so too, but then somebody waits for it. */
  file(): void;
  /** Places have been vacated: how many hold a term has to be counted again. */
  recount(): void;
  /** Gives every posting another place, in the same order; one whose place is not in `moved` goes. */
  renumber(moved: ReadonlyMap<number, number>): void;
  /** The best BM25 scores for the weighed terms of a question. */
  search(question: WeightedTerms, options: PostingSearchOptions): BestHits;
}

export interface PostingSearchOptions {
  /** Passages with terms of the whole index. */
  passages: number;
  /** By place: 1 where there is a passage. These count as holders of a term. */
  taken: Uint8Array;
  /** By place: 1 where a passage may be found. */
  mask: Uint8Array;
  ids: readonly string[];
  limit: number;
}

interface Posting {
  /** Ascending, some of them vacant by now. */
  places: Uint32Array;
  weights: Float32Array;
  length: number;
  maxWeight: number;
  /** Taken places, as of `countedAt`. */
  holders: number;
  countedAt: number;
}

/** Postings that are in no list yet, side by side. */
interface WaitingPostings {
  keys: Uint32Array;
  places: Uint32Array;
  weights: Float32Array;
  length: number;
}

interface QueryTerm {
  posting: Posting;
  /** Inverse document frequency by what the term counts in the question. */
  factor: number;
  /** The most it adds to a score. */
  most: number;
}

/** Postings that may wait. */
const MAX_WAITING = 2 ** 22;
const FIRST_WAITING = 2 ** 10;

/** Looking a place up in a list by halving costs about as much as reading this many postings. */
const LOOKUP_COST = 16;
/** Sums of the same numbers in another order differ by less. */
const ROUNDING = 1 + 1e-9;

export function createPostingLists(): PostingLists {
  const postings = new Map<number, Posting>();
  /** By place; all 0 between searches. */
  let scores = new Float64Array(0);
  let vacations = 0;
  let waiting = emptyWaiting(FIRST_WAITING);

  const file = (): void => {
    if (waiting.length === 0) return;
    const { keys, places, weights, length } = waiting;
    const order = orderByKey(keys.subarray(0, length));
    for (let from = 0; from < length; ) {
      const key = keys[order[from] as number] as number;
      let to = from + 1;
      while (to < length && keys[order[to] as number] === key) to += 1;
      const posting = postings.get(key) ?? emptyPosting(vacations);
      if (posting.length === 0) postings.set(key, posting);
      reserve(posting, to - from);
      for (; from < to; from += 1) {
        const at = order[from] as number;
        append(posting, places[at] as number, weights[at] as number);
      }
    }
    waiting = emptyWaiting(FIRST_WAITING);
  };

  const holdersOf = (posting: Posting, taken: Uint8Array): number => {
    if (posting.countedAt !== vacations) {
      posting.holders = 0;
      for (let index = 0; index < posting.length; index += 1) {
        posting.holders += taken[posting.places[index] as number] as number;
      }
      posting.countedAt = vacations;
    }
    return posting.holders;
  };

  /** The most telling first. */
  const queryTerms = ({ keys, weights }: WeightedTerms, passages: number, taken: Uint8Array): QueryTerm[] =>
    Array.from(keys)
      .flatMap((key, at) => {
        const posting = postings.get(key);
        if (posting === undefined) return [];
        const idf = inverseDocumentFrequency(passages, holdersOf(posting, taken));
        const factor = idf * (weights[at] as number);
        return [{ posting, factor, most: factor * posting.maxWeight }];
      })
      .sort((a, b) => b.most - a.most);

  const bestOf = (places: readonly number[], { limit, ids }: PostingSearchOptions): BestHits => {
    const best = createBestHits(limit, ids);
    for (const place of places) best.offer(place, scores[place] as number);
    return best;
  };

  /** Adds up term by term until no further place can be among the best; gives those that can. */
  const score = (terms: readonly QueryTerm[], found: number[], options: PostingSearchOptions): number[] => {
    const { mask, limit } = options;
    for (const [index, { posting, factor }] of terms.entries()) {
      const { places, weights, length } = posting;
      if (found.length >= limit && length > found.length) {
        const rest = terms.slice(index);
        const most = rest.reduce((sum, term) => sum + term.most, 0) * ROUNDING;
        const { threshold } = bestOf(found, options);
        if (threshold > most) {
          const able = found.filter((place) => (scores[place] as number) + most >= threshold);
          for (const term of rest) addToKnown(term, able, scores);
          return able;
        }
      }
      for (let at = 0; at < length; at += 1) {
        const place = places[at] as number;
        if (mask[place] === 0) continue;
        const before = scores[place] as number;
        if (before === 0) found.push(place);
        scores[place] = before + factor * (weights[at] as number);
      }
    }
    return found;
  };

  return {
    add: (place, { keys, weights }) => {
      if (waiting.length + keys.length > MAX_WAITING) file();
      waiting = withRoom(waiting, keys.length);
      waiting.keys.set(keys, waiting.length);
      waiting.weights.set(weights, waiting.length);
      waiting.places.fill(place, waiting.length, waiting.length + keys.length);
      waiting.length += keys.length;
    },
    file,
    recount: () => {
      file();
      vacations += 1;
    },
    renumber: (moved) => {
      file();
      for (const [key, posting] of postings) {
        renumber(posting, moved);
        posting.countedAt = vacations;
        if (posting.length === 0) postings.delete(key);
      }
    },
    search: (question, options) => {
      file();
      if (scores.length < options.mask.length) scores = new Float64Array(options.mask.length);
      const found: number[] = [];
      const able = score(queryTerms(question, options.passages, options.taken), found, options);
      const best = bestOf(able, options);
      for (const place of found) scores[place] = 0;
      return best;
    },
  };
}

/** Adds a term's weights to places that have a score already. */
function addToKnown({ posting, factor }: QueryTerm, places: readonly number[], scores: Float64Array): void {
  const { length, weights } = posting;
  const add = (place: number, at: number): void => {
    scores[place] = (scores[place] as number) + factor * (weights[at] as number);
  };
  if (length <= places.length * LOOKUP_COST) {
    for (let at = 0; at < length; at += 1) {
      const place = posting.places[at] as number;
      if (scores[place] !== 0) add(place, at);
    }
    return;
  }
  for (const place of places) {
    const at = find(posting, place);
    if (at !== undefined) add(place, at);
  }
}

function find({ places, length }: Posting, place: number): number | undefined {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle] as number) < place) low = middle + 1;
    else high = middle;
  }
  return low < length && places[low] === place ? low : undefined;
}

function emptyPosting(countedAt: number): Posting {
  return {
    places: new Uint32Array(0),
    weights: new Float32Array(0),
    length: 0,
    maxWeight: 0,
    holders: 0,
    countedAt,
  };
}

/** Makes room for so many more. */
function reserve(posting: Posting, count: number): void {
  const { places, weights, length } = posting;
  if (length + count <= places.length) return;
  const capacity = Math.max(length + count, length + Math.ceil(length / 2));
  posting.places = new Uint32Array(capacity);
  posting.places.set(places);
  posting.weights = new Float32Array(capacity);
  posting.weights.set(weights);
}

function append(posting: Posting, place: number, weight: number): void {
  posting.places[posting.length] = place;
  posting.weights[posting.length] = weight;
  posting.length += 1;
  posting.maxWeight = Math.max(posting.maxWeight, weight);
  posting.holders += 1;
}

function emptyWaiting(capacity: number): WaitingPostings {
  return {
    keys: new Uint32Array(capacity),
    places: new Uint32Array(capacity),
    weights: new Float32Array(capacity),
    length: 0,
  };
}

/** The same, or a copy with room for so many more. */
function withRoom(waiting: WaitingPostings, count: number): WaitingPostings {
  const { keys, places, weights, length } = waiting;
  if (length + count <= keys.length) return waiting;
  const roomier = emptyWaiting(Math.max(2 * keys.length, length + count));
  roomier.keys.set(keys);
  roomier.places.set(places);
  roomier.weights.set(weights);
  roomier.length = length;
  return roomier;
}

function renumber(posting: Posting, moved: ReadonlyMap<number, number>): void {
  let kept = 0;
  for (let at = 0; at < posting.length; at += 1) {
    const place = moved.get(posting.places[at] as number);
    if (place === undefined) continue;
    posting.places[kept] = place;
    posting.weights[kept] = posting.weights[at] as number;
    kept += 1;
  }
  posting.places = posting.places.slice(0, Math.max(2, kept));
  posting.weights = posting.weights.slice(0, Math.max(2, kept));
  posting.length = kept;
  posting.holders = kept;
}
