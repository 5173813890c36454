import { splitSentences } from '../sentences.js';
import type { Language } from '../types.js';

/** A smallest part of a passage that can be quoted by itself. */
export interface QuotablePiece {
  kind: 'sentence' | 'item' | 'row';
  /** Ready to be read: a sentence or an item as it stands, a table row with the names of its columns. */
  text: string;
  /** The words of its own: of a table row, its cells alone. */
  words: string;
  /** What it is said under inside its passage: the sentence that opens the list, the header of the table. */
  context: string;
  /** Paragraph, list or table it belongs to, from 0 in the passage. */
  block: number;
  /** An item of a numbered list carries its number. */
  number?: string;
}

const FENCE = /^\s{0,3}(?:```|~~~)/;
const HEADING = /^\s{0,3}#{1,6}\s/;
const ROW = /^\s{0,3}\|.*\|\s*$/;
const RULE = /^\s{0,3}\|[\s|:-]+$/;
const ITEM = /^\s*(?:[-*+•]\s+|(\d{1,3})[.)、]\s*)(.*)$/;

interface Block {
  kind: 'paragraph' | 'list' | 'table';
  lines: string[];
}

/**
 * Cuts the Markdown of a passage into pieces, in order. Headings and code are left out, unless there is nothing else.
 *
 * @param language of the passage: how a table row is put into words
 */
export function cutIntoPieces(text: string, language: Language): QuotablePiece[] {
  const blocks = findBlocks(text);
  if (blocks.length === 0)
    return [{ kind: 'sentence', text: text.trim(), words: text, context: '', block: 0 }];
  let opening = '';
  return blocks.flatMap((block, index) => {
    const before = opening;
    opening = block.kind === 'paragraph' ? findOpening(block.lines) : '';
    if (block.kind === 'table') return cutTable(block.lines, index, language);
    if (block.kind === 'list') return cutList(block.lines, index, before);
    return splitSentences(block.lines.join('\n')).map(
      (sentence): QuotablePiece => ({
        kind: 'sentence',
        text: sentence.text.replaceAll(/\s*\n\s*/g, ' '),
        words: sentence.text,
        context: '',
        block: index,
      }),
    );
  });
}

/** The sentence that announces what comes after the paragraph. */
function findOpening(lines: readonly string[]): string {
  const last = splitSentences(lines.join('\n')).at(-1)?.text ?? '';
  return /[:：]["”*]*$/.test(last) ? last : '';
}

function findBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  let inFence = false;
  let last: Block | undefined;
  for (const line of text.split('\n')) {
    const isFence = FENCE.test(line);
    if (isFence) inFence = !inFence;
    if (inFence || isFence || HEADING.test(line)) {
      last = undefined;
      continue;
    }
    if (line.trim() === '') {
      // A list goes on after an empty line.
      if (last?.kind !== 'list') last = undefined;
      continue;
    }
    const kind = ROW.test(line) ? 'table' : ITEM.test(line) ? 'list' : 'paragraph';
    const continuesItem = last?.kind === 'list' && kind === 'paragraph' && /^\s/.test(line);
    if (last !== undefined && (last.kind === kind || continuesItem)) {
      last.lines.push(line);
    } else {
      last = { kind, lines: [line] };
      blocks.push(last);
    }
  }
  return blocks;
}

function cutList(lines: readonly string[], block: number, context: string): QuotablePiece[] {
  const items: QuotablePiece[] = [];
  for (const line of lines) {
    const [, number, text] = ITEM.exec(line) ?? [];
    const item = items.at(-1);
    if (text !== undefined) {
      items.push({
        kind: 'item',
        text,
        words: text,
        context,
        block,
        ...(number === undefined ? {} : { number }),
      });
    } else if (item !== undefined) {
      item.text += ` ${line.trim()}`;
      item.words = item.text;
    }
  }
  return items;
}

function cutTable(lines: readonly string[], block: number, language: Language): QuotablePiece[] {
  const rows = lines.filter((line) => !RULE.test(line)).map(readCells);
  const hasHeader = lines.length > 1 && RULE.test(lines[1] ?? '');
  const header = hasHeader ? (rows.shift() ?? []) : [];
  return rows.map((cells) => ({
    kind: 'row',
    text: writeRow(header, cells, language),
    words: cells.join(' '),
    context: header.join(' '),
    block,
  }));
}

function readCells(line: string): string[] {
  return line
    .trim()
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** `**Next day** — Fee: ¥18; Cut-off: 16:00` */
function writeRow(header: readonly string[], cells: readonly string[], language: Language): string {
  const [colon, semicolon, dash] = language === 'zh' ? ['：', '；', '：'] : [': ', '; ', ' — '];
  const [first = '', ...rest] = cells;
  const named = rest
    .map((cell, index) => ({ name: header[index + 1] ?? '', cell }))
    .filter(({ cell }) => cell !== '')
    // With two columns the second one's name says nothing that the question did not.
    .map(({ name, cell }) => (name === '' || rest.length === 1 ? cell : `${name}${colon}${cell}`));
  const subject = /[*_`]/.test(first) ? first : `**${first}**`;
  return named.length === 0 ? first : `${subject}${dash}${named.join(semicolon)}`;
}
