import type { Schemas } from '@qdrant/js-client-rest';
import type { DocumentSummary, Passage } from '../types.js';
import { weighQuestionTerms } from './lexical-weights.js';
import type { BranchHit, BranchHits, IndexedPassage, SearchOptions, SearchQuery } from './passage-index.js';
import type { SendToQdrant } from './qdrant-requests.js';
import {
  DENSE,
  documentPointId,
  LEXICAL,
  passagesExcept,
  pointsOf,
  toDocument,
  toDocumentPoint,
  toEmptiedPoint,
  toIndexedPassage,
  toPassage,
  toPassagePoint,
  toQdrantFilter,
} from './qdrant-wire.js';
import { compareIds } from './reciprocal-rank-fusion.js';

/** Milliseconds for one attempt. */
export interface QdrantTimeouts {
  search: number;
  /** Anything else. */
  write: number;
}

/** Documents and passages of one collection, as `PassageIndex` describes them. */
export interface QdrantCollection {
  readonly name: string;
  /** The passages have distinct ids. */
  replaceDocument(
    document: DocumentSummary,
    passages: readonly IndexedPassage[],
    options: { signal: AbortSignal },
  ): Promise<void>;
  deleteDocument(knowledgeBase: string, documentId: string): Promise<boolean>;
  /** In no order. */
  listDocuments(knowledgeBase?: string): Promise<DocumentSummary[]>;
  findDocument(knowledgeBase: string, documentId: string): Promise<DocumentSummary | null>;
  readDocument(knowledgeBase: string, documentId: string): Promise<Passage[]>;
  readIndexed(knowledgeBase: string, documentId: string): Promise<IndexedPassage[]>;
  search(query: SearchQuery, options: SearchOptions): Promise<BranchHits>;
  /** By knowledge base. */
  count(type: 'document' | 'passage'): Promise<Map<string, number>>;
}

/** Points per request: some 100 × 256 numbers and their texts stay well under the server's 32 MB. */
const WRITE_BATCH = 100;
const READ_PAGE = 500;
const MAX_KNOWLEDGE_BASES = 10_000;

/**
 * A document is replaced by writing the new passages, then deleting the old ones, then writing its summary: whatever is
 * interrupted in between is seen by the old content hash and done again.
 */
export function createQdrantCollection(
  send: SendToQdrant,
  name: string,
  timeouts: QdrantTimeouts,
): QdrantCollection {
  const named = { collection_name: name };
  const writing = { timeout: timeouts.write };

  const upsert = (points: Schemas['PointStruct'][], signal?: AbortSignal): Promise<unknown> =>
    send((api, init) => api.upsertPoints({ ...named, wait: true, points }, init), {
      ...writing,
      ...(signal === undefined ? {} : { signal }),
    });
  async function* scroll(
    filter: Schemas['Filter'],
    { withVectors = false } = {},
  ): AsyncGenerator<Schemas['Record']> {
    const common = {
      ...named,
      filter,
      limit: READ_PAGE,
      with_payload: true,
      with_vector: withVectors,
    };
    let offset: Schemas['ExtendedPointId'] | undefined;
    do {
      const from = offset === undefined ? {} : { offset };
      const page = await send((api, init) => api.scrollPoints({ ...common, ...from }, init), writing);
      yield* page.points;
      offset = (page.next_page_offset ?? undefined) as Schemas['ExtendedPointId'] | undefined;
    } while (offset !== undefined);
  }

  const findDocument = async (knowledgeBase: string, documentId: string): Promise<DocumentSummary | null> => {
    const ids = [documentPointId(knowledgeBase, documentId)];
    const [found] = await send(
      (api, init) => api.getPoints({ ...named, ids, with_payload: true }, init),
      writing,
    );
    return found === undefined ? null : toDocument(found.payload);
  };

  /**
   * Deletes the passages of a document but those to keep. Empties the points first: a deleted point goes on being
   * counted in the inverse document frequency until its segment is rewritten, one that has lost its terms does not
   * (Qdrant 1.18, `delete_point_internal`).
   */
  const deletePassages = async (
    document: Pick<DocumentSummary, 'knowledgeBase' | 'documentId'>,
    keep: readonly string[] = [],
  ): Promise<void> => {
    const doomed: Schemas['Record'][] = [];
    for await (const point of scroll(passagesExcept(document, keep))) doomed.push(point);
    for (let start = 0; start < doomed.length; start += WRITE_BATCH) {
      const batch = doomed.slice(start, start + WRITE_BATCH);
      const operations = [
        { upsert: { points: batch.map(toEmptiedPoint) } },
        { delete: { points: batch.map(({ id }) => id) } },
      ];
      await send((api, init) => api.batchUpdate({ ...named, wait: true, operations }, init), writing);
    }
  };

  return {
    name,

    replaceDocument: async (document, passages, { signal }) => {
      for (let start = 0; start < passages.length; start += WRITE_BATCH) {
        await upsert(passages.slice(start, start + WRITE_BATCH).map(toPassagePoint), signal);
      }
      await deletePassages(
        document,
        passages.map(({ passage }) => passage.id),
      );
      await upsert([toDocumentPoint({ ...document, passages: passages.length })]);
    },

    deleteDocument: async (knowledgeBase, documentId) => {
      const found = await findDocument(knowledgeBase, documentId);
      await deletePassages({ knowledgeBase, documentId });
      const points = [documentPointId(knowledgeBase, documentId)];
      await send((api, init) => api.deletePoints({ ...named, wait: true, points }, init), writing);
      return found !== null;
    },

    listDocuments: async (knowledgeBase) => {
      const documents: DocumentSummary[] = [];
      for await (const { payload } of scroll(pointsOf('document', { knowledgeBase }))) {
        documents.push(toDocument(payload));
      }
      return documents;
    },

    findDocument,

    readDocument: async (knowledgeBase, documentId) => {
      const passages = [];
      for await (const { payload } of scroll(pointsOf('passage', { knowledgeBase, documentId }))) {
        passages.push(toPassage(payload));
      }
      return passages.sort((a, b) => a.position - b.position);
    },

    readIndexed: async (knowledgeBase, documentId) => {
      const indexed = [];
      const filter = pointsOf('passage', { knowledgeBase, documentId });
      for await (const point of scroll(filter, { withVectors: true })) indexed.push(toIndexedPassage(point));
      return indexed.sort((a, b) => a.passage.position - b.passage.position);
    },

    search: async ({ dense, lexical }, { knowledgeBase, filter, limit, signal }) => {
      const common = {
        filter: toQdrantFilter(knowledgeBase, filter),
        limit,
        with_payload: ['passage'],
      };
      const { keys, weights } = weighQuestionTerms(knowledgeBase, lexical);
      const lexicalSearch = {
        ...common,
        using: LEXICAL,
        query: { indices: Array.from(keys), values: Array.from(weights) },
      };
      const denseSearch = {
        ...common,
        using: DENSE,
        query: Array.from(dense ?? []),
        // int8 finds the neighbourhood, the original vectors give order and score.
        params: { quantization: { rescore: true, oversampling: 2 } },
      };
      const searches = [
        ...(keys.length === 0 ? [] : [lexicalSearch]),
        ...(dense === null ? [] : [denseSearch]),
      ];
      if (searches.length === 0) return { lexical: [], dense: [] };
      const results = await send((api, init) => api.queryBatchPoints({ ...named, searches }, init), {
        timeout: timeouts.search,
        signal,
      });
      const read = createPassageReader();
      const hits = results.map(({ points }) => toBranchHits(points, read));
      return {
        lexical: keys.length === 0 ? [] : (hits[0] ?? []),
        dense: dense === null ? [] : (hits.at(-1) ?? []),
      };
    },

    count: async (type) => {
      const { hits } = await send(
        (api, init) =>
          api.facet(
            {
              ...named,
              key: 'knowledgeBase',
              filter: pointsOf(type),
              limit: MAX_KNOWLEDGE_BASES,
              exact: true,
            },
            init,
          ),
        writing,
      );
      return new Map(hits.map(({ value, count }) => [String(value), count]));
    },
  };
}

type ReadPassage = (point: Pick<Schemas['ScoredPoint'], 'id' | 'payload'>) => Passage;

/** What both branches found is checked once. */
function createPassageReader(): ReadPassage {
  const passages = new Map<Schemas['ScoredPoint']['id'], Passage>();
  return ({ id, payload }) => {
    const passage = passages.get(id) ?? toPassage(payload);
    passages.set(id, passage);
    return passage;
  };
}

/** A point without payload was deleted after it was found and before it was read. */
function toBranchHits(points: readonly Schemas['ScoredPoint'][], read: ReadPassage): BranchHit[] {
  return points
    .filter(({ payload }) => payload !== null && payload !== undefined && Object.keys(payload).length > 0)
    .map((point) => ({ passage: read(point), score: point.score }))
    .sort((a, b) => b.score - a.score || compareIds(a.passage.id, b.passage.id))
    .map((hit, index) => ({ ...hit, rank: index + 1 }));
}
