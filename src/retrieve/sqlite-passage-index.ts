import { childEntry } from '../child-entry.js';
import { toAppError } from '../errors.js';
import { startWorker } from '../store/worker-rpc.js';
import type { DocumentSummary, Passage } from '../types.js';
import type { BranchHit, PassageIndex } from './passage-index.js';
import type { SpaceHit } from './search-space.js';
import type { PassageReaderMethods } from './sqlite-passage-reader.js';
import type { PassageWriterMethods } from './sqlite-passage-writer.js';

/**
 * The embedded index: one SQLite file, written by one thread and searched by another. Throws AppError `unavailable`
 * where the file cannot be opened.
 */
export async function createSqlitePassageIndex({ file }: { file: string }): Promise<PassageIndex> {
  // The writer brings the schema forward, so it comes first.
  const writer = await startWorker<PassageWriterMethods>(
    childEntry(import.meta.url, './sqlite-passage-writer'),
    { file },
  );
  const reader = await startWorker<PassageReaderMethods>(
    childEntry(import.meta.url, './sqlite-passage-reader'),
    { file },
  ).catch(async (thrown) => {
    await writer.close();
    throw thrown;
  });

  let making: number | null = null;
  let refreshing = false;
  /** Lets the reader take changes in while nobody waits; what a failure means, the next search will say. */
  const refreshSoon = (): void => {
    if (refreshing) return;
    refreshing = true;
    reader.call('refresh', []).then(
      () => {
        refreshing = false;
      },
      () => {
        refreshing = false;
      },
    );
  };
  refreshSoon();

  return {
    replaceDocument: async (document, passages, { signal }) => {
      await writer.call('replaceDocument', [document, passages], { signal });
      refreshSoon();
    },
    deleteDocument: async (knowledgeBase, documentId) => {
      const existed = await writer.call('deleteDocument', [knowledgeBase, documentId]);
      refreshSoon();
      return existed;
    },
    listDocuments: async (knowledgeBase) => {
      const summaries = await reader.call('listDocuments', [knowledgeBase ?? null, making]);
      return summaries.map((summary) => JSON.parse(summary) as DocumentSummary);
    },
    readDocument: async (knowledgeBase, documentId) => {
      const passages = await reader.call('readDocument', [knowledgeBase, documentId]);
      return passages.map((passage) => JSON.parse(passage) as Passage);
    },
    readIndexed: (knowledgeBase, documentId) => reader.call('readIndexed', [knowledgeBase, documentId]),
    searchedWith: () => reader.call('searchedWith', []),
    search: async (query, { knowledgeBase, filter, limit, signal }) => {
      const options = { knowledgeBase, limit, ...(filter === undefined ? {} : { filter }) };
      const { lexical, dense, passages } = await reader.call('search', [query, options], { signal });
      const parsed = new Map(Array.from(passages, ([number, json]) => [number, JSON.parse(json) as Passage]));
      return { lexical: toBranchHits(lexical, parsed), dense: toBranchHits(dense, parsed) };
    },
    prepare: async (fingerprint) => {
      const prepared = await writer.call('prepare', [fingerprint]);
      making = prepared.making;
      refreshSoon();
      return prepared.waiting;
    },
    load: (run) => run(),
    describe: () => reader.call('describe', []),
    isReady: () =>
      reader.call('refresh', []).then(
        () => null,
        (thrown) => toAppError(thrown).message,
      ),
    close: async () => {
      await Promise.all([reader.close(), writer.close()]);
    },
  };
}

function toBranchHits(hits: readonly SpaceHit[], passages: ReadonlyMap<number, Passage>): BranchHit[] {
  return hits.map(({ number, score }, index) => ({
    passage: passages.get(number) as Passage,
    score,
    rank: index + 1,
  }));
}
