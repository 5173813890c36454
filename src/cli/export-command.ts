import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Command } from 'commander';
import { AppError } from '../errors.js';
import { exportIndex } from '../retrieve/export-index.js';
import { withIndex } from './open-core.js';
import { createPace, createProgress } from './terminal.js';

export function registerExportCommand(program: Command): void {
  program
    .command('export')
    .description('write passages with their vectors to a file, to take them to another index')
    .argument('<file>', 'shop.jsonl, or shop.jsonl.gz to compress; - is standard output')
    .option('--kb <name...>', 'these knowledge bases only', [])
    .action(async (file: string, { kb }: { kb: string[] }) => {
      const progress = createProgress(process.stderr);
      const pace = createPace('documents');
      let documents = 0;
      await withIndex((index, signal) => {
        const lines = exportIndex({
          index,
          knowledgeBases: kb,
          signal,
          onProgress: ({ done, total }) => {
            documents = done;
            progress.show(`Exporting ${pace(done, total)}`);
          },
        });
        return file === '-' ? writeOut(lines) : writeFile(file, lines);
      }).finally(progress.clear);
      process.stderr.write(`${documents} documents exported\n`);
    });
}

/** A reader that leaves early (`| head`) is no failure of ours. */
async function writeOut(lines: AsyncIterable<string>): Promise<void> {
  await pipeline(Readable.from(lines), process.stdout, { end: false }).catch((thrown: unknown) => {
    if (codeOf(thrown) !== 'EPIPE') throw thrown;
  });
}

/** The file gets its name when it is whole. */
async function writeFile(file: string, lines: AsyncIterable<string>): Promise<void> {
  const part = `${file}.part`;
  const source = Readable.from(lines);
  const target = createWriteStream(part);
  try {
    if (file.endsWith('.gz')) await pipeline(source, createGzip(), target);
    else await pipeline(source, target);
    await rename(part, file);
  } catch (thrown) {
    await rm(part, { force: true }).catch(() => undefined);
    if (thrown instanceof AppError || codeOf(thrown) === undefined) throw thrown;
    throw new AppError('unavailable', `${file} cannot be written (${codeOf(thrown)}).`, { cause: thrown });
  }
}

function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined;
}
