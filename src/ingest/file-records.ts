import { createReadStream } from 'node:fs';
import { AppError } from '../errors.js';
import { formatByName } from './document-format.js';
import { codeOf } from './load-knowledge-bases.js';
import { readCsvRows } from './readers/csv-parse-rows.js';

/** A line of a JSONL file, or a row of a table, as one JSON object. */
export interface FileRecord {
  /** Counts from 1: lines of a JSONL file, rows below the header of a table. */
  number: number;
  /** JSON text; or why there is none, for the person who put the file there. */
  content: { json: string } | { problem: string };
  /** Of the file, up to and with this record; a table is read somewhat ahead. */
  bytesRead: number;
}

/** Larger than any article; a line beyond it is passed over without being held. */
const MAX_RECORD_CHARACTERS = 4 * 1024 * 1024;

/** Whether a file of that name consists of records: it can be read from the front, however large it is. */
export function hasRecords(name: string): boolean {
  const format = formatByName(name);
  return format === 'jsonl' || format === 'csv';
}

/**
 * Reads a .jsonl, .ndjson, .csv or .tsv file of any size, holding one record at a time. Blank lines are no records.
 * Throws AppError `unreadable` where the file cannot be read, is not UTF-8 or is no table.
 */
export async function* readFileRecords(path: string): AsyncGenerator<FileRecord> {
  const source = createReadStream(path);
  const bytesRead = (): number => source.bytesRead;
  try {
    const text = decodeUtf8(source);
    yield* formatByName(path) === 'csv' ? tableRecords(text, bytesRead) : lineRecords(text);
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    throw new AppError('unreadable', `it cannot be read (${codeOf(thrown)})`, { cause: thrown });
  } finally {
    source.destroy();
  }
}

async function* decodeUtf8(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const bytes of source) yield decoder.decode(bytes, { stream: true });
    yield decoder.decode();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new AppError('unreadable', 'files that are read record by record must be UTF-8', { cause });
  }
}

async function* lineRecords(text: AsyncIterable<string>): AsyncGenerator<FileRecord> {
  let number = 0;
  let bytesRead = 0;
  for await (const { line, isWhole, bytes } of readLines(text)) {
    number += 1;
    bytesRead += bytes;
    if (isWhole && line.trim() === '') continue;
    const content = isWhole ? { json: line } : { problem: 'it has more than 4 million characters' };
    yield { number, content, bytesRead };
  }
}

async function* tableRecords(
  text: AsyncIterable<string>,
  bytesRead: () => number,
): AsyncGenerator<FileRecord> {
  let number = 0;
  for await (const row of readCsvRows(text, { maxCharacters: MAX_RECORD_CHARACTERS })) {
    number += 1;
    yield { number, content: { json: JSON.stringify(row) }, bytesRead: bytesRead() };
  }
}

/** `bytes` with the line feed. What a line has beyond the most characters is dropped. */
async function* readLines(
  text: AsyncIterable<string>,
): AsyncGenerator<{ line: string; isWhole: boolean; bytes: number }> {
  let held: string[] = [];
  let characters = 0;
  let bytes = 0;
  const hold = (part: string): void => {
    characters += part.length;
    bytes += Buffer.byteLength(part);
    if (characters <= MAX_RECORD_CHARACTERS) held.push(part);
    else held = [];
  };
  const take = (end: number) => {
    const line = { line: held.join(''), isWhole: characters <= MAX_RECORD_CHARACTERS, bytes: bytes + end };
    held = [];
    [characters, bytes] = [0, 0];
    return line;
  };
  for await (const part of text) {
    const [first = '', ...others] = part.split('\n');
    hold(first);
    for (const next of others) {
      yield take(1);
      hold(next);
    }
  }
  if (bytes > 0) yield take(0);
}
