import type { Block } from '../source-document.js';
import { rowToBlock } from './question-answer-columns.js';

/** Rows of a data table whose first row names the columns. Blocks keep the order of the rows. */
export function tableToBlocks(rows: readonly (readonly string[])[]): Block[] {
  const [header = [], ...body] = rows.filter((row) => row.some((cell) => cell.trim() !== ''));
  return body
    .map((row) => rowToBlock(row.map((cell, column) => [header[column] ?? '', cell] as const)))
    .filter((block) => block !== null);
}
