import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '../errors.js';
import { createUploadedDocuments } from '../ingest/uploaded-documents.js';
import type { UploadResult } from '../stream/document-service.js';
import { EXIT } from './exit-codes.js';
import { withCore } from './open-core.js';
import { createProgress, progressBar } from './terminal.js';

export function registerIngestCommand(program: Command): void {
  program
    .command('ingest')
    .description('add files or folders to a knowledge base; unchanged ones are left alone')
    .argument('<path...>')
    .requiredOption('--kb <name>', 'knowledge base to add to; a new one is made')
    .option('--json', 'print one JSON object with the result of each file')
    .action(async (paths: string[], options: { kb: string; json?: boolean }) => {
      const files = (await Promise.all(paths.map(listFiles))).flat();
      const results = await withCore(async (core, signal) => {
        core.knowledgeBases.ensure(options.kb);
        const documents = createUploadedDocuments({ ...core, logger: { ...SILENT } });
        const progress = createProgress(process.stderr);
        const done: UploadResult[] = [];
        for (const { path, name } of files) {
          progress.show(`Ingesting ${progressBar(done.length, files.length)} ${name}`);
          const file = { name, bytes: await readFile(path) };
          done.push(...(await documents.ingest(options.kb, [file], { signal })));
        }
        progress.clear();
        return done;
      });
      report(results, options.json === true);
    });
}

/** Failures are part of the results here. */
const SILENT = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

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
