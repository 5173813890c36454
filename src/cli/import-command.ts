import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import type { Command } from 'commander';
import { AppError } from '../errors.js';
import { type ImportProgress, importIndex } from '../retrieve/import-index.js';
import { withIndex } from './open-core.js';
import { createPace, createProgress } from './terminal.js';

/** Not of ours: a passage has a few thousand characters. */
const MAX_LINE = 64 * 1024 * 1024;

export function registerImportCommand(program: Command): void {
  program
    .command('import')
    .description('read passages with their vectors from a file that export wrote')
    .argument('<file>', 'shop.jsonl or shop.jsonl.gz; - is standard input')
    .action(async (file: string) => {
      const progress = createProgress(process.stderr);
      const paces = { writing: createPace('passages written'), comparing: createPace('passages compared') };
      const onProgress = ({ stage, passages }: ImportProgress): void => progress.show(paces[stage](passages));
      const { documents, passages, unchanged } = await withIndex((index, signal) =>
        importIndex({ index, lines: readLines(file), onProgress, signal }),
      ).finally(progress.clear);
      process.stdout.write(
        `${documents} documents with ${passages} passages imported and compared; ${unchanged} were there already\n`,
      );
    });
}

async function* readLines(file: string): AsyncGenerator<string> {
  const source = file === '-' ? process.stdin : createReadStream(file);
  const input = file.endsWith('.gz') ? source.pipe(createGunzip()) : source;
  if (input !== source) source.once('error', (error: Error) => input.destroy(error));
  let rest = '';
  try {
    for await (const text of input.setEncoding('utf8')) {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
      if (rest.length > MAX_LINE) throw new AppError('invalid', `${file} has a line of more than 64 MB.`);
    }
    if (rest !== '') yield rest;
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? cause.code : 'unknown error';
    throw new AppError('not-found', `${file} cannot be read (${code}).`, { cause });
  }
}
