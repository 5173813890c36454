import { toAppError } from '../errors.js';
import { inParallel } from '../in-parallel.js';
import type { PassageIndex } from '../retrieve/passage-index.js';
import { isMadeAsNow } from './content-hash.js';
import type { Ingestor } from './ingestor.js';
import type { KnowledgeBase } from './knowledge-base.js';
import type { FileProblem } from './load-knowledge-bases.js';

export interface ReindexOptions {
  index: PassageIndex;
  ingestor: Ingestor;
  /** The knowledge base of a document that is in the index. */
  ensureKnowledgeBase: (id: string) => KnowledgeBase;
  onProgress?: (progress: { done: number; total: number }) => void;
  signal: AbortSignal;
}

const DOCUMENTS_AT_A_TIME = 2;

/**
 * Gives new vectors and terms to every document whose passages were made by another embedder or analyzer (the index
 * withholds their hash since `prepare`), or with another dictionary or other synonyms, from the index itself: uploads cannot
 * be read again. Run it after `syncKnowledgeFolder`, which reads the files that are there. Begun anew after an
 * interruption it goes on where it was.
 *
 * @throws AppError `stopped`, `unavailable` where index or embedder cannot be reached
 */
export async function reindexStaleDocuments(
  options: ReindexOptions,
): Promise<{ reindexed: number; failed: FileProblem[] }> {
  const { index, ingestor, ensureKnowledgeBase, onProgress, signal } = options;
  const stale = (await index.listDocuments())
    .map((document) => ({ ...document, knowledgeBase: ensureKnowledgeBase(document.knowledgeBase) }))
    .filter(({ contentHash, knowledgeBase }) => !isMadeAsNow(contentHash, knowledgeBase));
  const failed: FileProblem[] = [];
  let done = 0;
  await inParallel(stale, DOCUMENTS_AT_A_TIME, async (document) => {
    try {
      await ingestor.reindexDocument(document, { signal });
    } catch (thrown) {
      const { code, message } = toAppError(thrown);
      if (code === 'stopped' || code === 'unavailable') throw thrown;
      failed.push({ file: `${document.knowledgeBase.id}/${document.documentId}`, reason: message });
    }
    done += 1;
    onProgress?.({ done, total: stale.length });
  });
  return { reindexed: stale.length - failed.length, failed };
}
