import type { Inline, Styled } from './ast.js';

/** One line of source without its line end, and where it starts in the source. */
export interface SourceLine {
  text: string;
  start: number;
}

const DELIMITERS: readonly (readonly [string, Styled['type']])[] = [
  ['**', 'strong'],
  ['__', 'strong'],
  ['~~', 'deleted'],
  ['*', 'emphasis'],
  ['_', 'emphasis'],
];
const SAFE_ADDRESS = /^(?:https?:\/\/|mailto:)[^\s<>"]+$/i;
const BARE_ADDRESS = /^https?:\/\/[^\s<>"'`|，。；：！？、（）《》“”【】]+/i;
const ESCAPABLE = /[!-/:-@[-`{-~]/;
const HAN = /\p{Script=Han}/u;
const WORD = /[\p{L}\p{N}]/u;
const MAX_LABEL = 500;
const MAX_ADDRESS = 2000;
const MAX_DEPTH = 6;

/** Reads inline Markdown of consecutive lines. Anything that is not understood stays as literal text. */
export function parseInlines(lines: readonly SourceLine[]): Inline[] {
  const inlines: Inline[] = [];
  const text = lines.map((line) => line.text).join('\n');
  const scanner = createScanner(text, createOffsets(lines));
  scanner.read(0, text.length, inlines, 0);
  return inlines;
}

/** Maps an index of the joined lines to the source. */
function createOffsets(lines: readonly SourceLine[]): (index: number) => number {
  const starts: number[] = [];
  let joined = 0;
  for (const line of lines) {
    starts.push(joined);
    joined += line.text.length + 1;
  }
  return (index) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= index) low = middle;
      else high = middle - 1;
    }
    return (lines[low]?.start ?? 0) + index - (starts[low] ?? 0);
  };
}

function createScanner(text: string, offsetOf: (index: number) => number) {
  const addText = (from: number, to: number, out: Inline[], type: 'text' | 'code' = 'text'): void => {
    if (from < to) out.push({ type, text: text.slice(from, to), start: offsetOf(from) });
  };

  /** Reads [from, to) into `out`. Each `try…` gives the index behind what it read, or undefined. */
  function read(from: number, to: number, out: Inline[], depth: number): void {
    /** Delimiters that have no closing partner in the rest of this range: looked for once, not once per opener. */
    const unclosed = new Set<string>();
    let plain = from;
    let index = from;
    const found: Inline[] = [];
    while (index < to) {
      const next = tryConstruct(index, to, found, depth, unclosed);
      if (next === undefined) {
        index += 1;
        continue;
      }
      const end = found[0]?.type === 'break' ? trimEnd(plain, index) : index;
      addText(plain, end, out);
      out.push(...found.splice(0));
      index = next;
      plain = next;
    }
    addText(plain, to, out);
  }

  const trimEnd = (from: number, to: number): number => {
    let end = to;
    while (end > from && text[end - 1] === ' ') end -= 1;
    return end;
  };

  function tryConstruct(
    index: number,
    to: number,
    out: Inline[],
    depth: number,
    unclosed: Set<string>,
  ): number | undefined {
    switch (text[index]) {
      case '\n':
        out.push({ type: 'break', hard: text.slice(Math.max(0, index - 2), index) === '  ' });
        return index + 1;
      case '\\':
        return tryEscape(index, to, out);
      case '`':
        return tryCode(index, to, out, unclosed);
      case '!':
        return text[index + 1] === '[' ? tryLink(index + 1, to, out, depth) : undefined;
      case '[':
        return tryLink(index, to, out, depth);
      case '<':
        return tryAngle(index, to, out);
      case 'h':
      case 'H':
        return tryBareAddress(index, to, out);
      case '*':
      case '_':
      case '~':
        return tryStyled(index, to, out, depth, unclosed);
      default:
        return undefined;
    }
  }

  function tryEscape(index: number, to: number, out: Inline[]): number | undefined {
    const next = text[index + 1];
    if (index + 1 >= to || next === undefined) return undefined;
    if (next === '\n') {
      out.push({ type: 'break', hard: true });
      return index + 2;
    }
    if (!ESCAPABLE.test(next)) return undefined;
    addText(index + 1, index + 2, out);
    return index + 2;
  }

  function tryCode(index: number, to: number, out: Inline[], unclosed: Set<string>): number | undefined {
    const length = runLength(index, to);
    const fence = '`'.repeat(length);
    if (!unclosed.has(fence)) {
      for (let close = index + length; close < to; ) {
        const at = text.indexOf('`', close);
        if (at < 0 || at >= to) break;
        const closing = runLength(at, to);
        if (closing === length) {
          const padded = text[index + length] === ' ' && text[at - 1] === ' ' && at - index - length > 2;
          addCode(index + length + (padded ? 1 : 0), at - (padded ? 1 : 0), out);
          return at + length;
        }
        close = at + closing;
      }
      unclosed.add(fence);
    }
    addText(index, index + length, out);
    return index + length;
  }

  /** A leaf never goes over a line end: the lines may stand apart in the source. */
  function addCode(from: number, to: number, out: Inline[]): void {
    let start = from;
    for (const line of text.slice(from, to).split('\n')) {
      if (start > from) out.push({ type: 'break', hard: false });
      addText(start, start + line.length, out, 'code');
      start += line.length + 1;
    }
  }

  function runLength(index: number, to: number): number {
    let end = index;
    while (end < to && text[end] === text[index]) end += 1;
    return end - index;
  }

  /** `[label](address)`; an image becomes its label, since nothing is loaded from elsewhere. */
  function tryLink(index: number, to: number, out: Inline[], depth: number): number | undefined {
    const close = findClosingBracket(index, Math.min(to, index + MAX_LABEL));
    if (close === undefined || text[close + 1] !== '(') return undefined;
    const end = text.slice(close + 2, Math.min(to, close + MAX_ADDRESS)).search(/[)\n]/);
    if (end < 0 || text[close + 2 + end] !== ')') return undefined;
    const href = text.slice(close + 2, close + 2 + end).replace(/\s+"[^"]*"$/, '');
    const children: Inline[] = [];
    read(index + 1, close, children, depth + 1);
    if (SAFE_ADDRESS.test(href) && text[index - 1] !== '!') out.push({ type: 'link', href, children });
    else out.push(...children);
    return close + 3 + end;
  }

  function findClosingBracket(index: number, to: number): number | undefined {
    let open = 0;
    for (let at = index; at < to; at += 1) {
      if (text[at] === '[') open += 1;
      if (text[at] === ']') open -= 1;
      if (open === 0) return at;
    }
    return undefined;
  }

  function tryAngle(index: number, to: number, out: Inline[]): number | undefined {
    const rest = text.slice(index, Math.min(to, index + MAX_ADDRESS));
    const lineBreak = /^<br\s{0,3}\/?>/i.exec(rest);
    if (lineBreak !== null) {
      out.push({ type: 'break', hard: true });
      return index + lineBreak[0].length;
    }
    const close = rest.indexOf('>');
    const href = rest.slice(1, close);
    if (close < 0 || !SAFE_ADDRESS.test(href)) return undefined;
    const children: Inline[] = [];
    addText(index + 1, index + close, children);
    out.push({ type: 'link', href, children });
    return index + close + 1;
  }

  function tryBareAddress(index: number, to: number, out: Inline[]): number | undefined {
    const before = text[index - 1] ?? ' ';
    if (WORD.test(before) && !HAN.test(before)) return undefined;
    const match = BARE_ADDRESS.exec(text.slice(index, Math.min(to, index + MAX_ADDRESS)));
    if (match === null) return undefined;
    const length = match[0].replace(/[.,;:!?)\]*_~]{1,9}$/, '').length;
    const children: Inline[] = [];
    addText(index, index + length, children);
    out.push({ type: 'link', href: text.slice(index, index + length), children });
    return index + length;
  }

  function tryStyled(
    index: number,
    to: number,
    out: Inline[],
    depth: number,
    unclosed: Set<string>,
  ): number | undefined {
    if (depth >= MAX_DEPTH) return undefined;
    for (const [delimiter, type] of DELIMITERS) {
      if (!text.startsWith(delimiter, index) || unclosed.has(delimiter)) continue;
      const inside = index + delimiter.length;
      if (!opens(index, delimiter, to)) continue;
      const close = findClosing(delimiter, inside, to);
      if (close === undefined) {
        unclosed.add(delimiter);
        continue;
      }
      const children: Inline[] = [];
      read(inside, close, children, depth + 1);
      out.push({ type, children });
      return close + delimiter.length;
    }
    return undefined;
  }

  const isSpace = (at: number, to: number): boolean => at >= to || /\s/.test(text[at] ?? ' ');
  const isWord = (at: number): boolean => WORD.test(text[at] ?? '');

  function opens(index: number, delimiter: string, to: number): boolean {
    if (isSpace(index + delimiter.length, to)) return false;
    return !delimiter.startsWith('_') || index === 0 || !isWord(index - 1);
  }

  function findClosing(delimiter: string, from: number, to: number): number | undefined {
    for (let at = text.indexOf(delimiter, from + 1); at >= 0; at = text.indexOf(delimiter, at + 1)) {
      if (at + delimiter.length > to) return undefined;
      if (isSpace(at - 1, to)) continue;
      if (delimiter.length === 1 && (text[at + 1] === delimiter || text[at - 1] === delimiter)) continue;
      if (delimiter.startsWith('_') && isWord(at + delimiter.length)) continue;
      return at;
    }
    return undefined;
  }

  return { read };
}
