import { createHash } from 'node:crypto';
import { AppError } from '../errors.js';
import type { DocumentSummary } from '../types.js';
import { writeDocument, writeHeader, writeTrailer } from './export-format.js';
import type { PassageIndex } from './passage-index.js';

export interface ExportOptions {
  index: Pick<PassageIndex, 'listDocuments' | 'readIndexed' | 'searchedWith'>;
  /** Only these; all of them where empty. */
  knowledgeBases: readonly string[];
  onProgress?: (progress: { done: number; total: number }) => void;
  signal: AbortSignal;
}

/**
 * The lines of an export, each with its line feed; a document is read when its lines are asked for. Throws AppError
 * `not-found` where there is nothing to export, `conflict` while documents wait to be indexed again or are changed,
 * `stopped`.
 */
export async function* exportIndex(options: ExportOptions): AsyncGenerator<string> {
  const { index, onProgress, signal } = options;
  const madeWith = await index.searchedWith();
  const documents = madeWith === null ? [] : await chooseDocuments(options);
  if (madeWith === null || documents.length === 0) {
    throw new AppError('not-found', 'There is nothing to export.');
  }
  const hash = createHash('sha256');
  const written = (lines: readonly string[]): string => {
    const text = `${lines.join('\n')}\n`;
    hash.update(text);
    return text;
  };
  let count = 0;
  yield written([writeHeader(madeWith)]);
  for (const [done, document] of documents.entries()) {
    if (signal.aborted) throw new AppError('stopped', undefined, { cause: signal.reason });
    const passages = await index.readIndexed(document.knowledgeBase, document.documentId);
    if (passages.length !== document.passages) {
      throw new AppError('conflict', `${document.documentId} was changed meanwhile: export again.`);
    }
    count += passages.length;
    yield written(writeDocument({ document, passages }));
    onProgress?.({ done: done + 1, total: documents.length });
  }
  const sha256 = hash.digest('hex');
  yield `${writeTrailer({ documents: documents.length, passages: count, sha256 })}\n`;
}

async function chooseDocuments({ index, knowledgeBases }: ExportOptions): Promise<DocumentSummary[]> {
  const all = await index.listDocuments();
  const missing = knowledgeBases.filter((id) => !all.some(({ knowledgeBase }) => knowledgeBase === id));
  if (missing.length > 0) throw new AppError('not-found', `There is no knowledge base "${missing[0]}".`);
  const documents =
    knowledgeBases.length === 0
      ? all
      : all.filter(({ knowledgeBase }) => knowledgeBases.includes(knowledgeBase));
  const waiting = documents.filter(({ contentHash }) => contentHash === '').length;
  if (waiting > 0) {
    throw new AppError(
      'conflict',
      `${waiting} documents wait to be indexed with another model: start the server, and export when it has done that.`,
    );
  }
  return documents;
}
