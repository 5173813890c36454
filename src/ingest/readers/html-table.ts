import type { Element } from 'hast';
import type { TableBlock } from '../source-document.js';

const WIDEST_SPAN = 50;
const MOST_CELLS = 200_000;

/** Layout tables hold other tables or headings, say so by their role, or are a single cell. */
export function isDataTable(table: Element): boolean {
  const { role } = table.properties;
  if (role === 'presentation' || role === 'none') return false;
  const inner = descendants(table);
  return (
    inner.filter(({ tagName }) => tagName === 'td' || tagName === 'th').length > 1 &&
    !inner.some(({ tagName }) => tagName === 'table' || /^h[1-6]$/.test(tagName))
  );
}

/**
 * Cells that span rows or columns are repeated, so that every row can be read by itself. Several header rows are
 * joined; without any, the first row is the header.
 */
export function readTable(table: Element, renderCell: (cell: Element) => string): TableBlock | null {
  const rowElements = descendants(table).filter(({ tagName }) => tagName === 'tr');
  const grid = fillGrid(rowElements, renderCell).filter((row) => row.some((cell) => cell !== ''));
  if (grid.length === 0) return null;
  const inHead = descendants(table)
    .filter(({ tagName }) => tagName === 'thead')
    .flatMap(descendants)
    .filter(({ tagName }) => tagName === 'tr').length;
  const headerRows = Math.min(Math.max(inHead, 1), grid.length);
  const width = Math.max(...grid.map((row) => row.length));
  const header = Array.from({ length: width }, (_, column) =>
    [...new Set(grid.slice(0, headerRows).map((row) => row[column] ?? ''))]
      .filter((cell) => cell !== '')
      .join(' / '),
  );
  return { type: 'table', header, rows: grid.slice(headerRows) };
}

function fillGrid(rowElements: readonly Element[], renderCell: (cell: Element) => string): string[][] {
  const grid: (string | undefined)[][] = rowElements.map(() => []);
  let cells = 0;
  for (const [rowIndex, row] of rowElements.entries()) {
    let column = 0;
    for (const cell of row.children) {
      if (cell.type !== 'element' || (cell.tagName !== 'td' && cell.tagName !== 'th')) continue;
      const text = renderCell(cell);
      while (grid[rowIndex]?.[column] !== undefined) column += 1;
      const width = span(cell, 'colSpan');
      const lastRow = Math.min(rowIndex + span(cell, 'rowSpan'), rowElements.length);
      for (let y = rowIndex; y < lastRow; y += 1) {
        for (let x = column; x < column + width && cells < MOST_CELLS; x += 1, cells += 1) {
          (grid[y] as string[])[x] = text;
        }
      }
      column += width;
    }
  }
  return grid.map((row) => Array.from(row, (cell) => cell ?? ''));
}

function span(cell: Element, name: 'colSpan' | 'rowSpan'): number {
  const value = Number(cell.properties[name] ?? 1);
  return Number.isInteger(value) && value > 0 ? Math.min(value, WIDEST_SPAN) : 1;
}

function descendants(node: Element): Element[] {
  return node.children
    .filter((child): child is Element => child.type === 'element')
    .flatMap((child) => [child, ...descendants(child)]);
}
