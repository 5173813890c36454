import { childEntry } from '../child-entry.js';
import { AppError, toAppError } from '../errors.js';
import { startWorker } from '../store/worker-rpc.js';
import type { DocumentSummary, Passage } from '../types.js';
import { createGroupCommit } from './group-commit.js';
import type { BranchHit, PassageIndex } from './passage-index.js';
import type { SpaceHit } from './search-space.js';
import type { PassageReaderMethods } from './sqlite-passage-reader.js';
import type { PassageChange, PassageChangeOutcome, PassageWriterMethods } from './sqlite-passage-writer.js';

/** Passages committed together, at most: some tens of milliseconds' work. */
const PASSAGES_PER_COMMIT = 1000;

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

  const writes = createGroupCommit<PassageChange, PassageChangeOutcome>({
    commit: async (changes) => {
      const outcomes = await writer.call('change', [changes]);
      refreshSoon();
      return outcomes;
    },
    sizeOf: (change) => ('replace' in change ? change.passages.length : 1),
    maxSize: PASSAGES_PER_COMMIT,
  });
  const write = async (change: PassageChange, options?: { signal: AbortSignal }): Promise<boolean> => {
    const outcome = await writes.add(change, options);
    if ('existed' in outcome) return outcome.existed;
    const { code, message, retryable } = outcome.refused;
    throw new AppError(code, message, { retryable });
  };

  return {
    replaceDocument: async (document, passages, options) => {
      await write({ replace: document, passages }, options);
    },
    deleteDocument: (knowledgeBase, documentId) => write({ delete: { knowledgeBase, documentId } }),
    listDocuments: async (knowledgeBase) => {
      const summaries = await reader.call('listDocuments', [knowledgeBase ?? null, making]);
      return summaries.map((summary) => JSON.parse(summary) as DocumentSummary);
    },
    findDocument: async (knowledgeBase, documentId) => {
      const summary = await reader.call('findDocument', [knowledgeBase, documentId, making]);
      return summary === null ? null : (JSON.parse(summary) as DocumentSummary);
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
      await writes.settled();
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
