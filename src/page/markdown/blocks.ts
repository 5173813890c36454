import type { Alignment, Block, Inline, Line } from './ast.js';
import { parseInlines, type SourceLine } from './inlines.js';

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+|$)/;
const RULE = /^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const MARKER = /^( {0,3})([-*+]|\d{1,9}[.)])([ \t]+|$)/;
const NESTED_MARKER = /^ *(?:[-*+]|\d{1,9}[.)])[ \t]/;
const DELIMITER_CELL = /^:?-+:?$/;
const MAX_DEPTH = 8;

/** Reads Markdown as far as answers and passages use it. Never throws; raw HTML stays literal text. */
export function parseMarkdown(source: string): Block[] {
  const lines: SourceLine[] = [];
  let start = 0;
  for (const text of source.split('\n')) {
    lines.push({ text: text.endsWith('\r') ? text.slice(0, -1) : text, start });
    start += text.length + 1;
  }
  return parseBlocks(lines, 0);
}

interface Parsed {
  block: Block;
  /** Index of the first line behind the block. */
  next: number;
}

type Reader = (lines: readonly SourceLine[], at: number, depth: number) => Parsed | undefined;

const READERS: readonly Reader[] = [readFence, readHeading, readRule, readQuote, readList, readTable];

function parseBlocks(lines: readonly SourceLine[], depth: number): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    if (isBlank(lines[at])) {
      at += 1;
      continue;
    }
    const parsed = readBlock(lines, at, depth) ?? readParagraph(lines, at, depth);
    blocks.push(parsed.block);
    at = parsed.next;
  }
  return blocks;
}

function readBlock(lines: readonly SourceLine[], at: number, depth: number): Parsed | undefined {
  for (const reader of READERS) {
    const parsed = reader(lines, at, depth);
    if (parsed !== undefined) return parsed;
  }
  return undefined;
}

const isBlank = (line: SourceLine | undefined): boolean => line === undefined || line.text.trim() === '';
const endOf = (line: SourceLine | undefined): number =>
  line === undefined ? 0 : line.start + line.text.length;
const place = (lines: readonly SourceLine[], at: number, next: number) => ({
  start: lines[at]?.start ?? 0,
  end: endOf(lines[next - 1]),
});

function cut(line: SourceLine, count: number): SourceLine {
  return { text: line.text.slice(count), start: line.start + count };
}

function trimmed(line: SourceLine): SourceLine {
  const lead = line.text.length - line.text.trimStart().length;
  return { text: line.text.trim(), start: line.start + lead };
}

function toLine(lines: readonly SourceLine[]): Line {
  return { inlines: parseInlines(lines), end: endOf(lines.at(-1)) };
}

function readFence(lines: readonly SourceLine[], at: number): Parsed | undefined {
  const fence = FENCE.exec(lines[at]?.text ?? '')?.[1];
  if (fence === undefined) return undefined;
  let next = at + 1;
  while (next < lines.length && !closesFence(lines[next]?.text ?? '', fence)) next += 1;
  const content = lines.slice(at + 1, next).map((line) => ({ type: 'code' as const, ...line }));
  next = Math.min(next + 1, lines.length);
  return { block: { type: 'code', lines: content, ...place(lines, at, next) }, next };
}

function closesFence(text: string, fence: string): boolean {
  const stripped = text.trim();
  return stripped.length >= fence.length && stripped === (fence[0] ?? '').repeat(stripped.length);
}

function readHeading(lines: readonly SourceLine[], at: number): Parsed | undefined {
  const line = lines[at];
  const match = HEADING.exec(line?.text ?? '');
  if (line === undefined || match === null) return undefined;
  const body = trimmed(cut(line, match[0].length));
  const content = toLine([{ ...body, text: body.text.replace(/(?:^|[ \t])#{1,99}$/, '').trimEnd() }]);
  const level = match[1]?.length ?? 1;
  return { block: { type: 'heading', level, content, ...place(lines, at, at + 1) }, next: at + 1 };
}

function readRule(lines: readonly SourceLine[], at: number): Parsed | undefined {
  if (!RULE.test(lines[at]?.text ?? '')) return undefined;
  return { block: { type: 'rule', ...place(lines, at, at + 1) }, next: at + 1 };
}

function readQuote(lines: readonly SourceLine[], at: number, depth: number): Parsed | undefined {
  if (depth >= MAX_DEPTH) return undefined;
  const inside: SourceLine[] = [];
  let next = at;
  for (; next < lines.length; next += 1) {
    const line = lines[next];
    const match = QUOTE.exec(line?.text ?? '');
    if (line === undefined || match === null) break;
    inside.push(cut(line, match[0].length));
  }
  if (inside.length === 0) return undefined;
  return {
    block: { type: 'quote', blocks: parseBlocks(inside, depth + 1), ...place(lines, at, next) },
    next,
  };
}

function readList(lines: readonly SourceLine[], at: number, depth: number): Parsed | undefined {
  const marker = MARKER.exec(lines[at]?.text ?? '')?.[2];
  if (marker === undefined || depth >= MAX_DEPTH) return undefined;
  const ordered = /\d/.test(marker);
  const items: Block[][] = [];
  let next = at;
  while (next < lines.length) {
    const match = MARKER.exec(lines[next]?.text ?? '');
    if (match === null || /\d/.test(match[2] ?? '') !== ordered || RULE.test(lines[next]?.text ?? '')) break;
    const item = readItem(lines, next, match);
    items.push(parseBlocks(item.lines, depth + 1));
    next = item.next;
  }
  const first = ordered ? Number.parseInt(marker, 10) : 1;
  return { block: { type: 'list', ordered, first, items, ...place(lines, at, next) }, next };
}

/** An item's own lines, without its marker and indentation; blank lines behind it belong to nobody. */
function readItem(
  lines: readonly SourceLine[],
  at: number,
  match: RegExpExecArray,
): { lines: SourceLine[]; next: number } {
  const head = lines[at] as SourceLine;
  const indent = Math.min(match[0].length, (match[1]?.length ?? 0) + (match[2]?.length ?? 0) + 4);
  const inside = [cut(head, indent)];
  let next = at + 1;
  let pendingBlank = 0;
  for (let index = next; index < lines.length; index += 1) {
    const line = lines[index] as SourceLine;
    if (isBlank(line)) {
      pendingBlank += 1;
      continue;
    }
    const spaces = line.text.length - line.text.trimStart().length;
    // Many models indent nested lists by two columns whatever the marker's width.
    const nested = spaces >= indent || (spaces >= 2 && NESTED_MARKER.test(line.text));
    const lazy = pendingBlank === 0 && !startsBlock(lines, index);
    if (!nested && !lazy) break;
    inside.push(...lines.slice(index - pendingBlank, index), cut(line, Math.min(spaces, indent)));
    pendingBlank = 0;
    next = index + 1;
  }
  while (next < lines.length && isBlank(lines[next]) && MARKER.test(lines[next + 1]?.text ?? '')) next += 1;
  return { lines: inside, next };
}

function startsBlock(lines: readonly SourceLine[], at: number): boolean {
  const text = lines[at]?.text ?? '';
  return [FENCE, HEADING, RULE, QUOTE, MARKER].some((start) => start.test(text)) || isTableStart(lines, at);
}

function isTableStart(lines: readonly SourceLine[], at: number): boolean {
  const header = lines[at];
  const delimiter = lines[at + 1];
  if (!header?.text.includes('|') || !delimiter?.text.includes('-')) return false;
  const cells = splitCells(delimiter);
  return cells.every((cell) => DELIMITER_CELL.test(cell.text)) && cells.length === splitCells(header).length;
}

function readTable(lines: readonly SourceLine[], at: number): Parsed | undefined {
  if (!isTableStart(lines, at)) return undefined;
  const columns = splitCells(lines[at + 1] as SourceLine).map((cell) => alignmentOf(cell.text));
  const row = (line: SourceLine): Line[] => {
    const cells = splitCells(line).slice(0, columns.length);
    return columns.map((_, index) => toLine([cells[index] ?? { text: '', start: endOf(line) }]));
  };
  let next = at + 2;
  const rows: Line[][] = [];
  for (; next < lines.length && !isBlank(lines[next]) && lines[next]?.text.includes('|'); next += 1) {
    rows.push(row(lines[next] as SourceLine));
  }
  const header = row(lines[at] as SourceLine);
  return { block: { type: 'table', alignments: columns, header, rows, ...place(lines, at, next) }, next };
}

function alignmentOf(delimiter: string): Alignment {
  if (delimiter.endsWith(':')) return delimiter.startsWith(':') ? 'center' : 'right';
  return delimiter.startsWith(':') ? 'left' : null;
}

/** Cells of a table row, trimmed; `\|` does not part cells. */
function splitCells(line: SourceLine): SourceLine[] {
  const row = trimmed(line);
  const cells: SourceLine[] = [];
  let from = row.text.startsWith('|') ? 1 : 0;
  for (let index = from; index < row.text.length; index += 1) {
    if (row.text[index] === '\\') index += 1;
    else if (row.text[index] === '|') {
      cells.push(trimmed({ text: row.text.slice(from, index), start: row.start + from }));
      from = index + 1;
    }
  }
  if (from < row.text.length) cells.push(trimmed({ text: row.text.slice(from), start: row.start + from }));
  return cells;
}

function readParagraph(lines: readonly SourceLine[], at: number, depth: number): Parsed {
  let next = at + 1;
  while (next < lines.length && !isBlank(lines[next]) && !(depth < MAX_DEPTH && startsBlock(lines, next)))
    next += 1;
  const content = toLine(
    lines.slice(at, next).map((line, index, all) => {
      const lead = line.text.length - line.text.trimStart().length;
      const body = cut(line, lead);
      return index === all.length - 1 ? { ...body, text: body.text.trimEnd() } : body;
    }),
  );
  return { block: { type: 'paragraph', content, ...place(lines, at, next) }, next };
}

/** The plain words of inline content. */
export function plainText(inlines: readonly Inline[]): string {
  return inlines
    .map((inline) => {
      if (inline.type === 'break') return ' ';
      return 'text' in inline ? inline.text : plainText(inline.children);
    })
    .join('');
}
