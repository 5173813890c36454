import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { AppError } from '../../errors.js';
import { guessDelimiter } from './csv-parse-reader.js';

/**
 * Rows of a table below its header, by column name, one after the other. Throws AppError `unreadable` where it is no table
 * or a row is too large.
 */
export async function* readCsvRows(
  text: AsyncIterable<string>,
  { maxCharacters }: { maxCharacters: number },
): AsyncGenerator<Record<string, string>> {
  const parts = text[Symbol.asyncIterator]();
  const first = await parts.next();
  if (first.done === true) return;
  const parser = parse({
    bom: true,
    columns: (names: string[]) =>
      names.map((name, place) => (name.trim() === '' ? `column ${place + 1}` : name)),
    delimiter: guessDelimiter(first.value),
    max_record_size: maxCharacters,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
  });
  const source = Readable.from(prepend(first.value, { [Symbol.asyncIterator]: () => parts }));
  source.once('error', (error) => parser.destroy(error));
  try {
    yield* source.pipe(parser) as AsyncIterable<Record<string, string>>;
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new AppError('unreadable', `this is not a valid table: ${cause.message}`, { cause });
  } finally {
    source.destroy();
  }
}

async function* prepend(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}
