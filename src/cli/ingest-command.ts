import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Core } from '../core.js';
import { AppError, toAppError, toPublicError } from '../errors.js';
import { normalizeDocumentId } from '../ingest/document-id.js';
import { inParallel } from '../ingest/in-parallel.js';
import type { KnowledgeBase } from '../ingest/knowledge-base.js';
import type { UploadResult } from '../stream/document-service.js';
import { EXIT } from './exit-codes.js';
import { withCore } from './open-core.js';
import { createPace, createProgress, type Progress, progressBar } from './terminal.js';

export function registerIngestCommand(program: Command): void {
  program
    .command('ingest')
    .description('add files or folders to a knowledge base; unchanged ones are left alone')
    .argument('<path...>')
    .requiredOption('--kb <name>', 'knowledge base to add to; a new one is made')
    .option('--json', 'print one JSON object with the result of each file')
    .action(async (paths: string[], options: { kb: string; json?: boolean }) => {
      const files = (await Promise.all(paths.map(listFiles))).flat();
      const progress = createProgress(process.stderr);
      const results = await withCore((core, signal) =>
        ingestFiles(files, { core, signal, knowledgeBase: core.knowledgeBases.ensure(options.kb), progress }),
      ).finally(progress.clear);
      report(results, options.json === true);
    });
}

/** Reading, embedding and writing of different files overlap; no more are held in memory. */
const FILES_AT_A_TIME = 4;

interface IngestOptions {
  core: Pick<Core, 'index' | 'ingestor'>;
  knowledgeBase: KnowledgeBase;
  progress: Progress;
  signal: AbortSignal;
}

/** Unchanged files cost no more than reading them: whoever was interrupted starts the same command again. */
async function ingestFiles(files: readonly FileToIngest[], options: IngestOptions): Promise<UploadResult[]> {
  const { core, knowledgeBase, progress, signal } = options;
  const documents = await core.index.listDocuments(knowledgeBase.id);
  const known = new Map(documents.map((document) => [document.documentId, document]));
  const results = new Map<FileToIngest, UploadResult>();
  const pace = createPace('files');
  await inParallel(files, FILES_AT_A_TIME, async (file) => {
    const { name, path } = file;
    try {
      const before = known.get(normalizeDocumentId(name)) ?? null;
      const content = await readFile(path);
      const document = { knowledgeBase, documentId: name, content, origin: 'upload' as const };
      results.set(file, await core.ingestor.ingestDocument(document, { signal, known: before }));
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === 'stopped' || error.code === 'unavailable') throw error;
      results.set(file, { documentId: name, status: 'failed', passages: 0, error: toPublicError(error) });
    }
    progress.show(`Ingesting ${progressBar(results.size, files.length)} ${pace(results.size, files.length)}`);
  });
  return files.flatMap((file) => results.get(file) ?? []);
}

interface FileToIngest {
  path: string;
  /** Becomes the document id: the path below the folder that was named, or the file's name. */
  name: string;
}

async function listFiles(path: string): Promise<FileToIngest[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new AppError('not-found', `${path} cannot be read.`, { cause });
  });
  if (!found.isDirectory()) return [{ path: resolve(path), name: basename(path) }];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: file, name: relative(path, file).replaceAll('\\', '/') }))
    .filter(({ name }) => !name.split('/').some((part) => part.startsWith('.')) && name !== 'kb.yaml')
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function report(results: readonly UploadResult[], asJson: boolean): void {
  const failed = results.filter(({ status }) => status === 'failed');
  process.exitCode = failed.length > 0 ? EXIT.failed : EXIT.ok;
  if (asJson) {
    process.stdout.write(`${JSON.stringify({ results })}\n`);
    return;
  }
  for (const { documentId, error } of failed) {
    process.stderr.write(`${documentId}: ${error?.message.replace(`${documentId}: `, '')}\n`);
  }
  const count = (status: UploadResult['status']): number =>
    results.filter((result) => result.status === status).length;
  const passages = results.reduce((sum, result) => sum + result.passages, 0);
  process.stdout.write(
    `${count('added')} added, ${count('changed')} changed, ${count('unchanged')} unchanged, ` +
      `${failed.length} failed; ${passages} passages\n`,
  );
}
