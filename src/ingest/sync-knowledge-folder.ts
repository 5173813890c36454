import { join } from 'node:path';
import { toAppError } from '../errors.js';
import { inParallel } from '../in-parallel.js';
import type { PassageIndex } from '../retrieve/passage-index.js';
import type { DocumentSummary } from '../types.js';
import type { Ingestor, IngestResult } from './ingestor.js';
import type { KnowledgeBase } from './knowledge-base.js';
import { type KnowledgeFile, listKnowledgeFiles } from './knowledge-files.js';
import type { FileProblem, LoadedKnowledgeBases } from './load-knowledge-bases.js';
import { readWhole } from './read-whole.js';

export interface SyncOptions {
  /** The knowledge folder. */
  dir: string;
  /** What `loadKnowledgeBases(dir)` gave. */
  loaded: LoadedKnowledgeBases;
  index: PassageIndex;
  ingestor: Ingestor;
  /** Only this one; all of them where absent. */
  knowledgeBase?: string;
  onProgress?: (progress: SyncProgress) => void;
  signal: AbortSignal;
}

export interface SyncProgress {
  /** Files looked at. */
  done: number;
  total: number;
  /** The file that was finished last, inside the knowledge folder. */
  file: string;
  /** Files per second since the start. */
  rate: number;
}

/** Counts are of documents; `failed` names everything that could not be used, by its path in the knowledge folder. */
export interface SyncSummary {
  added: number;
  changed: number;
  unchanged: number;
  removed: number;
  failed: FileProblem[];
}

/** Reading, embedding and writing of different files overlap. */
const FILES_AT_A_TIME = 4;

interface FileToSync extends KnowledgeFile {
  knowledgeBase: KnowledgeBase;
  known: DocumentSummary | null;
}

interface SyncPlan {
  files: FileToSync[];
  /** Documents that followed a file that is no longer there. */
  vanished: DocumentSummary[];
  problems: FileProblem[];
}

/**
 * Makes the index follow the knowledge folder: new and changed files are ingested, documents whose file has gone are
 * removed. Uploaded documents are never touched. A file that cannot be read keeps the passages it had.
 *
 * @throws AppError `stopped`, `unavailable` where index or embedder cannot be reached, which is no fault of a file
 */
export async function syncKnowledgeFolder(options: SyncOptions): Promise<SyncSummary> {
  const { ingestor, onProgress, signal } = options;
  const { files, vanished, problems } = await planSync(options);
  const summary: SyncSummary = { added: 0, changed: 0, unchanged: 0, removed: 0, failed: problems };
  const start = performance.now();
  let done = 0;
  await inParallel(files, FILES_AT_A_TIME, async (file) => {
    const path = pathOf(file.knowledgeBase.id, file.documentId);
    const outcome = await syncFile(file, options);
    if ('status' in outcome) summary[outcome.status] += 1;
    else summary.failed.push({ file: path, reason: outcome.reason });
    done += 1;
    onProgress?.({
      done,
      total: files.length,
      file: path,
      rate: done / ((performance.now() - start) / 1000),
    });
  });
  for (const document of vanished) {
    if (await ingestor.deleteDocument(document, { signal })) summary.removed += 1;
  }
  summary.failed.sort((a, b) => (a.file < b.file ? -1 : 1));
  return summary;
}

async function planSync({ dir, loaded, index, knowledgeBase: only }: SyncOptions): Promise<SyncPlan> {
  const isWanted = (id: string): boolean => only === undefined || id === only;
  const documents = new Map(
    (await index.listDocuments(only)).map((document) => [
      pathOf(document.knowledgeBase, document.documentId),
      document,
    ]),
  );
  const present = new Set<string>();
  /** Knowledge bases of which it is not known what has gone. */
  const unsure = new Set(
    loaded.folders.filter((id) => !loaded.knowledgeBases.some((known) => known.id === id)),
  );
  const files: FileToSync[] = [];
  const problems = loaded.problems.filter(({ file }) => isWanted(file.split('/')[0] ?? ''));
  for (const knowledgeBase of loaded.knowledgeBases.filter(({ id }) => isWanted(id))) {
    const listing = await listKnowledgeFiles(join(dir, knowledgeBase.id));
    if (!listing.complete) unsure.add(knowledgeBase.id);
    for (const { file, reason } of listing.problems) {
      const path = pathOf(knowledgeBase.id, file);
      present.add(path);
      problems.push({ file: path, reason });
    }
    for (const file of listing.files) {
      const path = pathOf(knowledgeBase.id, file.documentId);
      present.add(path);
      files.push({ ...file, knowledgeBase, known: documents.get(path) ?? null });
    }
  }
  const vanished = [...documents]
    .filter(
      ([path, { origin, knowledgeBase }]) =>
        origin === 'folder' && !present.has(path) && !unsure.has(knowledgeBase),
    )
    .map(([, document]) => document);
  return { files, vanished: loaded.complete ? vanished : [], problems };
}

function pathOf(knowledgeBase: string, documentId: string): string {
  return `${knowledgeBase}/${documentId}`;
}

/** Twice where trying again makes sense: an engine that was busy or restarting. */
async function syncFile(file: FileToSync, options: SyncOptions): Promise<IngestResult | { reason: string }> {
  try {
    return await ingestFile(file, options).catch((thrown: unknown) => {
      const { retryable, code } = toAppError(thrown);
      if (!retryable || code === 'stopped') throw thrown;
      return ingestFile(file, options);
    });
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code === 'stopped' || error.code === 'unavailable') throw error;
    return { reason: error.message.replace(`${file.documentId}: `, '') };
  }
}

async function ingestFile(file: FileToSync, { ingestor, signal }: SyncOptions): Promise<IngestResult> {
  const { knowledgeBase, documentId, path, known } = file;
  const content = await readWhole(path);
  return ingestor.ingestDocument({ knowledgeBase, documentId, content, origin: 'folder' }, { signal, known });
}
