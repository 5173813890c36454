import type { AddedToken } from './tokenizer-json.js';

/** A stretch of text, or an added token (a number) that stood in it. */
export type TextPart = string | number;

/**
 * Finds added tokens (`[SEP]`, `<mask>`, …) written out in a text, leftmost and longest first, with the reference's
 * rules for words and the spaces beside them.
 */
export function createAddedTokenSplitter(tokens: readonly AddedToken[]): (text: string) => TextPart[] {
  if (tokens.length === 0) return (text) => (text === '' ? [] : [text]);
  const byContent = new Map(tokens.map((token) => [token.content, token]));
  const longestFirst = [...byContent.keys()].toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(
    longestFirst.map((content) => content.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|'),
    'gu',
  );

  return (text) => {
    const parts: TextPart[] = [];
    let offset = 0;
    for (const match of text.matchAll(pattern)) {
      const token = byContent.get(match[0]) as AddedToken;
      let start = match.index;
      let stop = start + match[0].length;
      if (
        token.single_word &&
        (ENDS_WITH_WORD.test(text.slice(0, start)) || STARTS_WITH_WORD.test(text.slice(stop)))
      ) {
        continue;
      }
      if (token.lstrip) start = Math.max(offset, text.slice(0, start).replace(TRAILING_SPACE, '').length);
      if (token.rstrip) stop = text.length - text.slice(stop).replace(LEADING_SPACE, '').length;
      if (offset < start) parts.push(text.slice(offset, start));
      parts.push(token.id);
      offset = stop;
    }
    if (offset < text.length) parts.push(text.slice(offset));
    return parts;
  };
}

const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const ENDS_WITH_WORD = new RegExp(`${WORD}$`, 'u');
const STARTS_WITH_WORD = new RegExp(`^${WORD}`, 'u');
const TRAILING_SPACE = /\p{White_Space}+$/u;
const LEADING_SPACE = /^\p{White_Space}+/u;
