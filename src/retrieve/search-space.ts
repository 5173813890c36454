import type { BestHits } from './best-hits.js';
import { createDenseVectors } from './dense-vectors.js';
import { createFilterColumns } from './filter-columns.js';
import type { WeightedTerms } from './lexical-weights.js';
import type { PassageFilter } from './passage-index.js';
import { createPostingLists } from './posting-lists.js';
import type { DotProducts } from './simd-dot-products.js';

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
 * terms as posting lists. Both are exact: a passage is left out only where it cannot be among the best.
 */
export interface SearchSpace {
  add(passage: SpacePassage): void;
  remove(number: number): void;
  /** Many were added: what the next search would have to do first is done now. */
  settle(): void;
  /** Passages that have terms: what the inverse document frequency counts. */
  readonly withTerms: number;
  readonly size: number;
  /** BM25, best first. `passages` counts the passages with terms of the whole index. */
  searchLexical(terms: WeightedTerms, passages: number, options: SpaceSearchOptions): SpaceHit[];
  /** Cosine, best first. */
  searchDense(vector: Float32Array, options: SpaceSearchOptions): SpaceHit[];
}

interface SpaceSearchOptions {
  filter: PassageFilter | undefined;
  limit: number;
}

/** Vacant places are closed up when they are this many and outnumber the taken ones. */
const MIN_VACANT = 1024;
const FIRST_CAPACITY = 256;

/** Everything about passages by place; a place is not used again until places are closed up. */
interface Columns {
  numbers: number[];
  ids: string[];
  hasTerms: boolean[];
  filters: ReturnType<typeof createFilterColumns>;
  vectors: ReturnType<typeof createDenseVectors>;
}

export function createSearchSpace(dimensions: number, products: DotProducts): SearchSpace {
  const newColumns = (): Columns => ({
    numbers: [],
    ids: [],
    hasTerms: [],
    filters: createFilterColumns(),
    vectors: createDenseVectors(dimensions, products),
  });
  const postings = createPostingLists();
  const places = new Map<number, number>();
  let columns = newColumns();
  /** By place: 1 where there is a passage. */
  let taken = new Uint8Array(FIRST_CAPACITY);
  let withTerms = 0;

  const take = (
    { number, id, vector, ...passage }: Omit<SpacePassage, 'terms'>,
    hasTerms: boolean,
  ): number => {
    const place = columns.numbers.push(number) - 1;
    columns.ids.push(id);
    columns.hasTerms.push(hasTerms);
    columns.filters.push(passage);
    columns.vectors.push(vector);
    places.set(number, place);
    if (place === taken.length) {
      const before = taken;
      taken = new Uint8Array(before.length * 2);
      taken.set(before);
    }
    taken[place] = 1;
    return place;
  };

  const closeUp = (): void => {
    const before = columns;
    const takenBefore = taken;
    const moved = new Map<number, number>();
    columns = newColumns();
    taken = new Uint8Array(FIRST_CAPACITY);
    places.clear();
    before.numbers.forEach((number, place) => {
      if (takenBefore[place] === 0) return;
      const fields = { number, id: before.ids[place] as string, ...before.filters.at(place) };
      moved.set(
        place,
        take({ ...fields, vector: before.vectors.at(place) }, before.hasTerms[place] === true),
      );
    });
    before.vectors.release();
    postings.renumber(moved);
  };

  const toHits = ({ places: found, scores }: BestHits): SpaceHit[] =>
    found.map((place, at) => ({ number: columns.numbers[place] as number, score: scores[at] as number }));

  const masked = ({ filter, limit }: SpaceSearchOptions) => ({
    mask: filter === undefined ? taken : columns.filters.maskOf(filter, taken),
    ids: columns.ids,
    limit,
  });

  return {
    add: ({ terms, ...passage }) => {
      const hasTerms = terms.keys.length > 0;
      if (hasTerms) withTerms += 1;
      postings.add(take(passage, hasTerms), terms);
    },
    remove: (number) => {
      const place = places.get(number);
      if (place === undefined) return;
      if (columns.hasTerms[place] === true) withTerms -= 1;
      taken[place] = 0;
      places.delete(number);
      postings.recount();
      const vacant = columns.numbers.length - places.size;
      if (vacant > MIN_VACANT && vacant > places.size) closeUp();
    },
    settle: postings.file,
    get withTerms() {
      return withTerms;
    },
    get size() {
      return places.size;
    },
    searchLexical: (terms, passages, options) =>
      toHits(postings.search(terms, { passages, taken, ...masked(options) })),
    searchDense: (vector, options) => toHits(columns.vectors.search(vector, masked(options))),
  };
}
