import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Core } from '../core.js';
import { AppError, toAppError, toPublicError } from '../errors.js';
import { inParallel } from '../in-parallel.js';
import { hasRecords } from '../ingest/file-records.js';
import { ingestRecords, type RecordsSummary } from '../ingest/ingest-records.js';
import type { KnowledgeBase } from '../ingest/knowledge-base.js';
import { MAX_FILE_BYTES, readWhole } from '../ingest/read-whole.js';
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
    .option(
      '--records',
      'make each record of .jsonl, .ndjson, .csv and .tsv files a document of its own; above 32 MB it is so in any case',
    )
    .option('--json', 'print one JSON object with the result of each file')
    .action(async (paths: string[], { kb, records, json }: IngestCommandOptions) => {
      const found = (await Promise.all(paths.map(listFiles))).flat();
      const isRead = (file: FileToIngest): boolean =>
        hasRecords(file.name) && (records === true || file.bytes > MAX_FILE_BYTES);
      const progress = createProgress(process.stderr);
      const results = await withCore(async (core, signal) => {
        const options = { core, signal, knowledgeBase: core.knowledgeBases.ensure(kb), progress };
        return [
          ...(await ingestFiles(
            found.filter((file) => !isRead(file)),
            options,
          )),
          ...(await ingestRecordFiles(found.filter(isRead), options)),
        ];
      }).finally(progress.clear);
      report(results, json === true);
    });
}

interface IngestCommandOptions {
  kb: string;
  records?: boolean;
  json?: boolean;
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
  const results = new Map<FileToIngest, UploadResult>();
  const pace = createPace('files');
  await inParallel(files, FILES_AT_A_TIME, async (file) => {
    const { name, path } = file;
    try {
      const content = await readWhole(path);
      const document = { knowledgeBase, documentId: name, content, origin: 'upload' as const };
      results.set(file, await core.ingestor.ingestDocument(document, { signal }));
    } catch (thrown) {
      results.set(file, toFailure(name, thrown));
    }
    progress.show(`Ingesting ${progressBar(results.size, files.length)} ${pace(results.size, files.length)}`);
  });
  return files.flatMap((file) => results.get(file) ?? []);
}

/** What became of a file whose records are documents. */
interface RecordFileResult {
  documentId: string;
  records: RecordsSummary;
}

type FileResult = UploadResult | RecordFileResult;

/** One file after the other, as fast as the engine takes them; what makes searches fast may wait until they are in. */
async function ingestRecordFiles(
  files: readonly FileToIngest[],
  { core, knowledgeBase, progress, signal }: IngestOptions,
): Promise<FileResult[]> {
  const results: FileResult[] = [];
  const ingestOne = async ({ name, path, bytes }: FileToIngest): Promise<FileResult> => {
    const pace = createPace('records');
    const records = await ingestRecords({
      ...core,
      path,
      documentId: name,
      knowledgeBase,
      onProgress: ({ records: done, bytesRead }) => {
        const expected = Math.max(done, Math.round((done * bytes) / Math.max(1, bytesRead)));
        progress.show(
          `${name} ${Math.floor((100 * bytesRead) / Math.max(1, bytes))} % ${pace(done, expected)}`,
        );
      },
      signal,
    });
    return { documentId: name, records };
  };
  if (files.length === 0) return results;
  await core.index.load(async () => {
    for (const file of files) {
      results.push(await ingestOne(file).catch((thrown: unknown) => toFailure(file.name, thrown)));
    }
  });
  return results;
}

/** Throws again what is no fault of the file. */
function toFailure(documentId: string, thrown: unknown): UploadResult {
  const error = toAppError(thrown);
  if (error.code === 'stopped' || error.code === 'unavailable') throw error;
  return { documentId, status: 'failed', passages: 0, error: toPublicError(error) };
}

interface FileToIngest {
  path: string;
  /** Becomes the document id: the path below the folder that was named, or the file's name. */
  name: string;
  bytes: number;
}

async function listFiles(path: string): Promise<FileToIngest[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new AppError('not-found', `${path} cannot be read.`, { cause });
  });
  if (!found.isDirectory()) return [{ path: resolve(path), name: basename(path), bytes: found.size }];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: file, name: relative(path, file).replaceAll('\\', '/') }))
    .filter(({ name }) => !name.split('/').some((part) => part.startsWith('.')) && name !== 'kb.yaml')
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return Promise.all(files.map(async (file) => ({ ...file, bytes: (await stat(file.path)).size })));
}

function report(results: readonly FileResult[], asJson: boolean): void {
  const total = { added: 0, changed: 0, unchanged: 0, failed: 0, passages: 0 };
  for (const result of results) {
    const counts = 'records' in result ? result.records : { [result.status]: 1, passages: result.passages };
    for (const [name, count] of Object.entries(counts))
      if (name in total) total[name as keyof typeof total] += count;
  }
  process.exitCode = total.failed > 0 ? EXIT.failed : EXIT.ok;
  if (asJson) {
    process.stdout.write(`${JSON.stringify({ results })}\n`);
    return;
  }
  for (const line of results.flatMap(problemsOf)) process.stderr.write(`${line}\n`);
  const { added, changed, unchanged, failed, passages } = total;
  process.stdout.write(
    `${added} added, ${changed} changed, ${unchanged} unchanged, ${failed} failed; ${passages} passages\n`,
  );
}

function problemsOf(result: FileResult): string[] {
  if ('records' in result) {
    const { problems, failed } = result.records;
    const others = failed - problems.length;
    return [
      ...problems.map(({ file, reason }) => `${file}: ${reason}`),
      ...(others === 0 ? [] : [`${result.documentId}: ${others} more records failed`]),
    ];
  }
  const { documentId, error } = result;
  return error === undefined ? [] : [`${documentId}: ${error.message.replace(`${documentId}: `, '')}`];
}
