import { CsvError, parse } from 'csv-parse/sync';
import { type Reading, UnreadableError } from '../source-document.js';
import { tableToBlocks } from './data-table.js';

const DELIMITERS = [',', '\t', ';'];

/** Comma-, tab- or semicolon-separated values; the first row names the columns. */
export function readCsv(text: string): Reading {
  try {
    const rows: string[][] = parse(text, {
      delimiter: guessDelimiter(text),
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
    });
    return { blocks: tableToBlocks(rows) };
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new UnreadableError(`this is not a valid table: ${cause.message}`, { cause });
  }
}

/** The one that occurs most often in the first line, outside quotation marks. */
export function guessDelimiter(text: string): string {
  const [firstLine = ''] = text.trimStart().slice(0, 10_000).split('\n');
  const unquoted = firstLine.replaceAll(/"[^"]*"/g, '');
  const count = (delimiter: string): number => unquoted.split(delimiter).length;
  return DELIMITERS.reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best));
}
