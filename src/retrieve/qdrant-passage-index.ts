import { AppError, toAppError } from '../errors.js';
import type { DocumentSummary } from '../types.js';
import { checkVector } from './check-vector.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import { type DocumentVersion, lastVersions } from './document-versions.js';
import { type PassageIndex, sameFingerprint } from './passage-index.js';
import { createQdrantAlias, type MadeCollection } from './qdrant-alias.js';
import { createQdrantCollection, type QdrantCollection } from './qdrant-collection.js';
import { createQdrantRequests, isMissing, type QdrantAddress } from './qdrant-requests.js';
import type { QdrantLayout } from './qdrant-schema.js';
import { documentPointId } from './qdrant-wire.js';
import { compareIds } from './reciprocal-rank-fusion.js';

export interface QdrantPassageIndexOptions extends QdrantAddress {
  /** Name of the alias; the collections behind it are named after it. */
  collection: string;
  layout?: QdrantLayout;
  /** Milliseconds for one attempt of a search. */
  searchTimeout?: number;
  /** Milliseconds for one attempt of anything else. */
  writeTimeout?: number;
}

export interface QdrantPassageIndex extends PassageIndex {
  /** Whether each node is being asked, by host and port. */
  readonly circuits: ReadonlyMap<string, CircuitBreaker>;
}

/**
 * The index on a Qdrant server or cluster. Touches the network only when a method is called. What is made with another
 * model or analyzer stands in a collection of its own; while the index goes over, a document counts as it was written
 * last, in whichever collection that is (docs/decisions/2026-11-26-going-over-to-another-model.md).
 */
export function createQdrantPassageIndex(options: QdrantPassageIndexOptions): QdrantPassageIndex {
  const { collection: aliasName, layout = {}, searchTimeout = 5_000, writeTimeout = 60_000 } = options;
  const { send, circuits } = createQdrantRequests(options);
  const alias = createQdrantAlias({ send, alias: aliasName, layout, timeout: writeTimeout });
  const collection = (name: string): QdrantCollection =>
    createQdrantCollection(send, name, { search: searchTimeout, write: writeTimeout });
  const oneAtATime = createLanes();
  /** What passages are written to, since `prepare`. */
  let written: MadeCollection | null = null;
  /** What the alias says; asked again when that collection has gone. */
  let searched: MadeCollection | null = null;

  const findSearched = async (): Promise<MadeCollection | null> => {
    searched ??= await alias.searched();
    return searched;
  };
  const isWritten = async (): Promise<MadeCollection> => {
    const found = written ?? (await findSearched());
    if (found === null) throw new AppError('conflict', 'The index must be prepared before it is used.');
    return found;
  };

  const versions = async (knowledgeBase?: string): Promise<DocumentVersion[]> => {
    const place = (written ?? (await findSearched()))?.name;
    if (place === undefined) return [];
    const places = new Map<string, DocumentSummary[]>();
    for (const name of await alias.names()) {
      places.set(name, await collection(name).listDocuments(knowledgeBase).catch(goneAs([])));
    }
    return lastVersions(places, place);
  };
  const versionOf = async (
    knowledgeBase: string,
    documentId: string,
  ): Promise<DocumentVersion | undefined> => {
    const place = (written ?? (await findSearched()))?.name;
    if (place === undefined) return undefined;
    const places = new Map<string, DocumentSummary[]>();
    for (const name of await alias.names()) {
      const found = await collection(name).findDocument(knowledgeBase, documentId).catch(goneAs(null));
      places.set(name, found === null ? [] : [found]);
    }
    return lastVersions(places, place)[0];
  };

  const goOver = async (from: MadeCollection, to: MadeCollection): Promise<void> => {
    await alias.retire(from.name);
    await alias.pointTo(to.name);
    searched = to;
    for (const name of await alias.names()) if (name !== to.name) await alias.drop(name);
  };
  const dropRetired = async (names: readonly string[]): Promise<void> => {
    for (const name of names) {
      if (await alias.isRetired(name).catch(goneAs(false))) await alias.drop(name);
    }
  };

  return {
    circuits,

    replaceDocument: (document, passages, { signal }) =>
      oneAtATime(documentPointId(document.knowledgeBase, document.documentId), async () => {
        const { name, madeWith } = await isWritten();
        for (const { vector } of passages) checkVector(vector, madeWith.dimensions);
        const distinct = [...new Map(passages.map((passage) => [passage.passage.id, passage])).values()];
        await collection(name)
          .replaceDocument(document, distinct, { signal })
          .catch((thrown) => {
            if (!isMissing(thrown)) throw thrown;
            throw new AppError(
              'conflict',
              'Another server has moved the index to another embedding model; this one needs the same settings.',
              { cause: thrown },
            );
          });
      }),

    deleteDocument: (knowledgeBase, documentId) =>
      oneAtATime(documentPointId(knowledgeBase, documentId), async () => {
        let existed = false;
        for (const name of await alias.names()) {
          const deleted = collection(name).deleteDocument(knowledgeBase, documentId);
          existed = (await deleted.catch(goneAs(false))) || existed;
        }
        return existed;
      }),

    listDocuments: async (knowledgeBase) => (await versions(knowledgeBase)).map(toListed),

    findDocument: async (knowledgeBase, documentId) => {
      const version = await versionOf(knowledgeBase, documentId);
      return version === undefined ? null : toListed(version);
    },

    readDocument: async (knowledgeBase, documentId) => {
      const version = await versionOf(knowledgeBase, documentId);
      return version === undefined ? [] : collection(version.place).readDocument(knowledgeBase, documentId);
    },

    readIndexed: async (knowledgeBase, documentId) => {
      const { name } = (await findSearched()) ?? (await isWritten());
      return collection(name).readIndexed(knowledgeBase, documentId);
    },

    searchedWith: async () => (await findSearched())?.madeWith ?? null,

    search: async (query, searchOptions) => {
      const target = await findSearched();
      if (target === null || !sameFingerprint(target.madeWith, query.madeWith)) throw searchedOtherwise();
      checkVector(query.dense, target.madeWith.dimensions);
      return collection(target.name)
        .search(query, searchOptions)
        .catch((thrown) => {
          if (!isMissing(thrown)) throw thrown;
          searched = null;
          throw searchedOtherwise(thrown);
        });
    },

    prepare: async (madeWith) => {
      searched = await alias.searched();
      const wanted = await alias.ensure(madeWith);
      written = wanted;
      if (searched === null) {
        await alias.pointTo(wanted.name);
        searched = wanted;
      }
      const { name: current } = searched;
      await dropRetired((await alias.names()).filter((name) => name !== wanted.name && name !== current));
      const others = (await alias.names()).some((name) => name !== wanted.name);
      if (!others) return false;
      const waiting = (await versions()).some(({ waits }) => waits);
      if (!waiting && current !== wanted.name) await goOver(searched, wanted);
      return waiting;
    },

    load: async (run) => {
      const { name } = await isWritten();
      await alias.deferIndexing(name, true);
      try {
        return await run();
      } finally {
        await alias.deferIndexing(name, false);
      }
    },

    describe: async () => {
      const target = await findSearched();
      if (target === null) return { engine: 'qdrant', builtWith: null, passages: 0, knowledgeBases: [] };
      const { name, madeWith } = target;
      const { name: place } = await isWritten();
      const counts = await Promise.all(
        [...new Set([place, name])].map(async (each) => ({
          documents: await collection(each).count('document'),
          passages: await collection(each).count('passage'),
        })),
      );
      // What is searched comes last and counts; what is only being made is named.
      const documents = new Map(counts.flatMap((count) => [...count.documents]));
      const passages = new Map(counts.flatMap((count) => [...count.passages]));
      const knowledgeBases = [...documents]
        .map(([knowledgeBase, count]) => ({
          knowledgeBase,
          documents: count,
          passages: passages.get(knowledgeBase) ?? 0,
        }))
        .sort((a, b) => compareIds(a.knowledgeBase, b.knowledgeBase));
      return {
        engine: 'qdrant',
        builtWith: knowledgeBases.length === 0 ? null : madeWith,
        passages: knowledgeBases.reduce((sum, { passages: count }) => sum + count, 0),
        knowledgeBases,
      };
    },

    isReady: async () => {
      try {
        const { status } = await send(
          (api, init) => api.getCollection({ collection_name: aliasName }, init),
          { timeout: searchTimeout },
        );
        return status === 'red' ? 'The search engine reports a damaged collection.' : null;
      } catch (thrown) {
        return toAppError(thrown).message;
      }
    },

    close: async () => undefined,
  };
}

/** A document that waits to be made again shows no hash. */
function toListed({ document, waits }: DocumentVersion): DocumentSummary {
  return waits ? { ...document, contentHash: '' } : document;
}

function searchedOtherwise(cause?: unknown): AppError {
  const message = 'The index is searched with another embedding model or analyzer.';
  return new AppError('conflict', message, cause === undefined ? {} : { cause });
}

/** A collection that another instance has dropped meanwhile holds nothing. */
function goneAs<T>(nothing: T): (thrown: unknown) => T {
  return (thrown) => {
    if (isMissing(thrown)) return nothing;
    throw thrown;
  };
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
