import type { Schemas } from '@qdrant/js-client-rest';
import { AppError, toAppError } from '../errors.js';
import type { DocumentSummary } from '../types.js';
import { checkVector } from './check-vector.js';
import { questionKeys } from './lexical-weights.js';
import type {
  BranchHit,
  IndexDescription,
  IndexedPassage,
  IndexFingerprint,
  PassageIndex,
} from './passage-index.js';
import { createQdrantCollection } from './qdrant-collection.js';
import { createQdrantRequests, type QdrantAddress } from './qdrant-requests.js';
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

export interface QdrantPassageIndexOptions extends QdrantAddress {
  /** Name of the alias; the collections behind it are named after it. */
  collection: string;
  /** Milliseconds for one attempt of a search. */
  searchTimeout?: number;
  /** Milliseconds for one attempt of anything else. */
  writeTimeout?: number;
}

/** Points per request: some 100 × 256 numbers and their texts stay well under the server's 32 MB. */
const WRITE_BATCH = 100;
const READ_PAGE = 500;
const MAX_KNOWLEDGE_BASES = 10_000;

/**
 * The index on a Qdrant server. Touches the network only when a method is called. A document is replaced by writing
 * the new passages, then deleting the old ones, then writing its summary: whatever is interrupted in between is seen
 * by the old content hash and done again.
 */
export function createQdrantPassageIndex({
  collection: alias,
  searchTimeout = 5_000,
  writeTimeout = 60_000,
  ...address
}: QdrantPassageIndexOptions): PassageIndex {
  const send = createQdrantRequests(address);
  const collection = createQdrantCollection(send, alias);
  const named = { collection_name: alias };
  const writing = { timeout: writeTimeout };
  const oneAtATime = createLanes();
  let fingerprint: IndexFingerprint | null = null;

  const preparedFingerprint = async (): Promise<IndexFingerprint> => {
    fingerprint ??= await collection.readFingerprint();
    if (fingerprint === null) {
      throw new AppError('conflict', 'The index must be prepared before it is used.');
    }
    return fingerprint;
  };

  const upsert = (points: Schemas['PointStruct'][], signal?: AbortSignal): Promise<unknown> =>
    send((api, init) => api.upsertPoints({ ...named, wait: true, points }, init), {
      ...writing,
      ...(signal === undefined ? {} : { signal }),
    });
  async function* scroll(
    filter: Schemas['Filter'],
    { withVectors = false } = {},
  ): AsyncGenerator<Schemas['Record']> {
    let offset: Schemas['ExtendedPointId'] | undefined;
    do {
      const from = offset === undefined ? {} : { offset };
      const page = await send(
        (api, init) =>
          api.scrollPoints(
            {
              ...named,
              filter,
              limit: READ_PAGE,
              with_payload: true,
              with_vector: withVectors,
              ...from,
            },
            init,
          ),
        writing,
      );
      yield* page.points;
      offset = (page.next_page_offset ?? undefined) as Schemas['ExtendedPointId'] | undefined;
    } while (offset !== undefined);
  }

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

  const countByKnowledgeBase = async (type: 'document' | 'passage'): Promise<Map<string, number>> => {
    const { hits } = await send(
      (api, init) =>
        api.facet(
          { ...named, key: 'knowledgeBase', filter: pointsOf(type), limit: MAX_KNOWLEDGE_BASES, exact: true },
          init,
        ),
      writing,
    );
    return new Map(hits.map(({ value, count }) => [String(value), count]));
  };

  const replace = async (
    document: DocumentSummary,
    passages: readonly IndexedPassage[],
    signal: AbortSignal,
  ): Promise<void> => {
    const { dimensions } = await preparedFingerprint();
    for (const { vector } of passages) checkVector(vector, dimensions);
    const points = new Map(passages.map((passage) => [passage.passage.id, passage]));
    const batch = [...points.values()];
    for (let start = 0; start < batch.length; start += WRITE_BATCH) {
      await upsert(batch.slice(start, start + WRITE_BATCH).map(toPassagePoint), signal);
    }
    await deletePassages(document, [...points.keys()]);
    await upsert([toDocumentPoint({ ...document, passages: points.size })]);
  };

  return {
    replaceDocument: (document, passages, { signal }) =>
      oneAtATime(documentPointId(document.knowledgeBase, document.documentId), () =>
        replace(document, passages, signal),
      ),

    deleteDocument: (knowledgeBase, documentId) =>
      oneAtATime(documentPointId(knowledgeBase, documentId), async () => {
        const ids = [documentPointId(knowledgeBase, documentId)];
        const found = await send((api, init) => api.getPoints({ ...named, ids }, init), writing);
        await deletePassages({ knowledgeBase, documentId });
        await send((api, init) => api.deletePoints({ ...named, wait: true, points: ids }, init), writing);
        return found.length > 0;
      }),

    listDocuments: async (knowledgeBase) => {
      const documents: DocumentSummary[] = [];
      for await (const { payload } of scroll(pointsOf('document', { knowledgeBase }))) {
        documents.push(toDocument(payload));
      }
      return documents.sort(
        (a, b) => compareIds(a.knowledgeBase, b.knowledgeBase) || compareIds(a.documentId, b.documentId),
      );
    },

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
      const { dimensions } = await preparedFingerprint();
      checkVector(dense, dimensions);
      const common = {
        filter: toQdrantFilter(knowledgeBase, filter),
        limit,
        with_payload: ['passage'],
      };
      const keys = Array.from(questionKeys(knowledgeBase, lexical));
      const lexicalSearch = {
        ...common,
        using: LEXICAL,
        query: { indices: keys, values: keys.map(() => 1) },
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
        timeout: searchTimeout,
        signal,
      });
      const hits = results.map(({ points }) => toBranchHits(points));
      return {
        lexical: keys.length === 0 ? [] : (hits[0] ?? []),
        dense: dense === null ? [] : (hits.at(-1) ?? []),
      };
    },

    prepare: async (wanted) => {
      const stale = await collection.prepare(wanted);
      fingerprint = wanted;
      return stale;
    },

    describe: async (): Promise<IndexDescription> => {
      const [builtWith, documents, passages] = await Promise.all([
        preparedFingerprint(),
        countByKnowledgeBase('document'),
        countByKnowledgeBase('passage'),
      ]);
      const knowledgeBases = [...documents]
        .map(([knowledgeBase, count]) => ({
          knowledgeBase,
          documents: count,
          passages: passages.get(knowledgeBase) ?? 0,
        }))
        .sort((a, b) => compareIds(a.knowledgeBase, b.knowledgeBase));
      return {
        engine: 'qdrant',
        builtWith: knowledgeBases.length === 0 ? null : builtWith,
        passages: knowledgeBases.reduce((sum, { passages: count }) => sum + count, 0),
        knowledgeBases,
      };
    },

    isReady: async () => {
      try {
        const { status } = await send((api, init) => api.getCollection(named, init), {
          timeout: searchTimeout,
        });
        return status === 'red' ? 'The search engine reports a damaged collection.' : null;
      } catch (thrown) {
        return toAppError(thrown).message;
      }
    },

    close: async () => undefined,
  };
}

/** A point without payload was deleted after it was found and before it was read. */
function toBranchHits(points: readonly Schemas['ScoredPoint'][]): BranchHit[] {
  return points
    .filter(({ payload }) => payload !== null && payload !== undefined && Object.keys(payload).length > 0)
    .map(({ payload, score }) => ({ passage: toPassage(payload), score }))
    .sort((a, b) => b.score - a.score || compareIds(a.passage.id, b.passage.id))
    .map((hit, index) => ({ ...hit, rank: index + 1 }));
}

/** Runs tasks of the same lane one after the other; two versions of a document must not be written into each other. */
function createLanes(): <T>(lane: string, task: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>();
  return async (lane, task) => {
    const before = tails.get(lane) ?? Promise.resolve();
    const result = before.then(task, task);
    tails.set(lane, result);
    try {
      return await result;
    } finally {
      if (tails.get(lane) === result) tails.delete(lane);
    }
  };
}
