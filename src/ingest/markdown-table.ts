/** A Markdown table. Short rows are filled up; cells must be single lines. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const width = Math.max(header.length, ...rows.map((row) => row.length));
  const line = (cells: readonly string[]): string =>
    `| ${Array.from({ length: width }, (_, column) => escapeCell(cells[column] ?? '')).join(' | ')} |`;
  const rule = `| ${Array.from({ length: width }, () => '---').join(' | ')} |`;
  return [line(header), rule, ...rows.map(line)].join('\n');
}

function escapeCell(cell: string): string {
  return cell.replaceAll(/(?<!\\)\|/g, '\\|');
}
