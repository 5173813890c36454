import { readFile, stat } from 'node:fs/promises';
import { AppError } from '../errors.js';
import { codeOf } from './load-knowledge-bases.js';

export const MAX_FILE_BYTES = 32 * 1024 * 1024;

/** A file's bytes. Throws AppError `too-large` without reading it, `unreadable` with the reason. */
export async function readWhole(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) {
      throw new AppError(
        'too-large',
        'files may have at most 32 MB; `askbase ingest` takes larger .jsonl and .csv files record by record',
      );
    }
    return await readFile(path);
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    throw new AppError('unreadable', `it cannot be read (${codeOf(thrown)})`, { cause: thrown });
  }
}
