import { countTokens, findAtoms } from '../count-tokens.js';
import { splitSentences } from '../sentences.js';
import { renderBlock } from './block-text.js';
import { renderTable } from './markdown-table.js';
import { PASSAGE_SIZE } from './passage-size.js';
import type { Block, ListBlock, TableBlock } from './source-document.js';

/** A part of a section that no passage border cuts: a sentence, a list, a table or some of its rows. */
export interface Piece {
  text: string;
  tokens: number;
  /** White space between the piece before it and this one. */
  before: string;
  /** Running text, that may be repeated at the start of the next passage. */
  isProse: boolean;
}

const LONGEST_LEAD_IN = PASSAGE_SIZE.small;
const CLAUSE_END = /[，、；：,;:。！？]$/;

/** Pieces of a section in order, none larger than the largest passage. */
export function toPieces(blocks: readonly Block[]): Piece[] {
  const pieces: Piece[] = [];
  let leadIn = '';
  for (const [index, block] of blocks.entries()) {
    if (leadsIn(block, blocks[index + 1])) {
      leadIn += `${renderBlock(block)}\n\n`;
      continue;
    }
    pieces.push(...keepTogether(leadIn, block));
    leadIn = '';
  }
  return pieces;
}

/** A heading belongs to what follows, and “You need:” to its list or table. */
function leadsIn(block: Block, next: Block | undefined): boolean {
  if (next === undefined) return false;
  if (block.type === 'heading') return true;
  const isLeadIn = block.type === 'text' && (next.type === 'list' || next.type === 'table');
  return (
    isLeadIn &&
    (/[:：]$/.test(block.text) || next.type === 'table') &&
    countTokens(block.text) <= LONGEST_LEAD_IN
  );
}

function keepTogether(leadIn: string, block: Block): Piece[] {
  const [first, ...others] = splitBlock(block, PASSAGE_SIZE.most - countTokens(leadIn));
  if (first === undefined) return [];
  if (leadIn === '') return [first, ...others];
  const text = leadIn + first.text;
  return [{ ...first, text, tokens: countTokens(text) }, ...others];
}

/** @param room tokens that the first piece may have */
function splitBlock(block: Block, room: number): Piece[] {
  switch (block.type) {
    case 'list':
      return splitList(block, room);
    case 'table':
      return splitTable(block, room);
    case 'text':
      return block.text.startsWith('```') ? splitLines(block.text, room) : splitProse(block.text);
    default:
      return splitProse(renderBlock(block));
  }
}

/** Text → sentences; a sentence longer than a passage → clauses. */
export function splitProse(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const sentence of splitSentences(text)) {
    const spans = countTokens(sentence.text) > PASSAGE_SIZE.target ? cutLong(sentence.text) : [sentence.text];
    let from = sentence.start;
    for (const span of spans) {
      const start = text.indexOf(span, from);
      const before = pieces.length === 0 ? '\n\n' : text.slice(end, start);
      pieces.push({ text: span, tokens: countTokens(span), before, isProse: true });
      end = from = start + span.length;
    }
  }
  return pieces;
}

function splitList({ items }: ListBlock, room: number): Piece[] {
  const whole = items.join('\n');
  if (countTokens(whole) <= room) return [toPiece(whole)];
  return items.flatMap((item, index): Piece[] => {
    const before = index === 0 ? '\n\n' : '\n';
    if (countTokens(item) <= PASSAGE_SIZE.target) return [{ ...toPiece(item), before }];
    const [first, ...others] = splitProse(item);
    return first === undefined ? [] : [{ ...first, before }, ...others];
  });
}

/** A table that is too large is cut between rows, each part under the header again. */
function splitTable({ header, rows }: TableBlock, room: number): Piece[] {
  const whole = renderTable(header, rows);
  if (countTokens(whole) <= room) return [toPiece(whole)];
  const headerTokens = countTokens(renderTable(header, []));
  const pieces: Piece[] = [];
  let part: string[][] = [];
  let tokens = headerTokens;
  const endPart = (): void => {
    if (part.length > 0) pieces.push(toPiece(renderTable(header, part)));
    part = [];
    tokens = headerTokens;
  };
  for (const row of rows) {
    const rowTokens = countTokens(renderTable(row, []).split('\n')[0] ?? '');
    if (tokens + rowTokens > PASSAGE_SIZE.target) endPart();
    if (headerTokens + rowTokens <= PASSAGE_SIZE.target) {
      part.push(row);
      tokens += rowTokens;
    } else {
      pieces.push(...splitProse(renderRow(header, row)));
    }
  }
  endPart();
  return rows.length === 0 ? splitProse(header.join('\n')) : pieces;
}

/** A row that is too large for a table, as `header: cell` lines. */
function renderRow(header: readonly string[], row: readonly string[]): string {
  const lines = row.map((cell, column) => (header[column] ? `${header[column]}: ${cell}` : cell));
  return lines.filter((line) => line.trim() !== '').join('\n\n');
}

/** Code is cut between lines. */
function splitLines(text: string, room: number): Piece[] {
  if (countTokens(text) <= room) return [toPiece(text)];
  return text.split('\n').flatMap((line, index): Piece[] => {
    const spans = countTokens(line) > PASSAGE_SIZE.target ? cutLong(line) : [line];
    return spans.map((span) => ({ ...toPiece(span), before: index === 0 ? '\n\n' : '\n' }));
  });
}

function toPiece(text: string): Piece {
  return { text, tokens: countTokens(text), before: '\n\n', isProse: false };
}

/** Cuts after a clause where there is one, else between words, else anywhere: nothing is lost but white space. */
function cutLong(text: string): string[] {
  const cuts: number[] = [];
  let tokens = 0;
  let clause = { end: 0, tokens: 0 };
  for (const atom of findAtoms(text)) {
    if (tokens + atom.tokens > PASSAGE_SIZE.target) {
      const cut = clause.end > (cuts.at(-1) ?? 0) ? clause : { end: atom.start, tokens };
      cuts.push(cut.end);
      tokens -= cut.tokens;
      clause = { end: 0, tokens: 0 };
    }
    tokens += atom.tokens;
    if (atom.tokens > PASSAGE_SIZE.target) {
      cuts.push(...cutWord(text, atom.start, atom.end));
      tokens = 0;
    }
    if (CLAUSE_END.test(text.slice(atom.start, atom.end))) clause = { end: atom.end, tokens };
  }
  return [0, ...cuts]
    .map((start, index) => text.slice(start, cuts[index] ?? text.length).trim())
    .filter((span) => span !== '');
}

/** Places to cut a word of thousands of letters (encoded data, mostly), never inside a surrogate pair; its end too. */
function cutWord(text: string, start: number, end: number): number[] {
  const step = PASSAGE_SIZE.target * 2;
  const cuts: number[] = [];
  for (let at = start + step; at < end; at += step) {
    cuts.push(/[\uDC00-\uDFFF]/.test(text[at] ?? '') ? at + 1 : at);
  }
  return [...cuts, end];
}
