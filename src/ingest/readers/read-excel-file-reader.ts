import readXlsxFile, { type CellValue } from 'read-excel-file/node';
import type { Block, Reading } from '../source-document.js';
import { tableToBlocks } from './data-table.js';

/** Every sheet of an XLSX workbook; where there are several, each is a section under its name. */
export async function readXlsx(bytes: Uint8Array): Promise<Reading> {
  const sheets = await readXlsxFile(Buffer.from(bytes));
  const sections = sheets
    .map(({ sheet, data }) => ({ sheet, blocks: tableToBlocks(data.map((row) => row.map(toText))) }))
    .filter(({ blocks }) => blocks.length > 0);
  return {
    blocks: sections.flatMap(({ sheet, blocks }): Block[] =>
      sections.length === 1 ? blocks : [{ type: 'heading', level: 2, text: sheet }, ...blocks],
    ),
  };
}

/** Excel's dates carry no zone: they come as UTC, and a date without a time is shown without one. */
function toText(cell: CellValue | null): string {
  if (cell === null) return '';
  if (!(cell instanceof Date)) return String(cell);
  const iso = cell.toISOString();
  return iso.endsWith('T00:00:00.000Z') ? iso.slice(0, 10) : iso.slice(0, 16).replace('T', ' ');
}
