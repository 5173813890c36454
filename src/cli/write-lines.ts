import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { AppError } from '../errors.js';

type Lines = Iterable<string> | AsyncIterable<string>;

/** To a file, compressed where its name ends with .gz; `-` is standard output. Throws AppError `unavailable`. */
export function writeLines(file: string, lines: Lines): Promise<void> {
  return file === '-' ? writeOut(lines) : writeFile(file, lines);
}

/** A reader that leaves early (`| head`) is no failure of ours. */
async function writeOut(lines: Lines): Promise<void> {
  await pipeline(Readable.from(lines), process.stdout, { end: false }).catch((thrown: unknown) => {
    if (codeOf(thrown) !== 'EPIPE') throw thrown;
  });
}

/** The file gets its name when it is whole. */
async function writeFile(file: string, lines: Lines): Promise<void> {
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

/** Of an error of the system: ENOENT. */
export function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined;
}
