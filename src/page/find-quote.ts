/** Half-open range of a text. */
export interface Range {
  start: number;
  end: number;
}

/** Markdown signs and white space, which a quote may have lost or gained. */
const IGNORED = /[\s*_`~|#>\\]/u;

/**
 * Where a quote stands in a passage: as it is, else regardless of white space, letter case, character width and
 * Markdown signs. Undefined where it does not stand there.
 */
export function findQuote(passage: string, quote: string): Range | undefined {
  const exact = quote === '' ? -1 : passage.indexOf(quote);
  if (exact >= 0) return { start: exact, end: exact + quote.length };

  const haystack = fold(passage);
  const needle = fold(quote);
  const at = needle.text === '' ? -1 : haystack.text.indexOf(needle.text);
  if (at < 0) return undefined;
  const last = haystack.ranges[at + needle.text.length - 1];
  return { start: haystack.ranges[at]?.start ?? 0, end: last?.end ?? passage.length };
}

/** Folded text, and for each of its characters the range of the original it came from. */
function fold(text: string): { text: string; ranges: Range[] } {
  let folded = '';
  const ranges: Range[] = [];
  let start = 0;
  for (const character of text) {
    const end = start + character.length;
    if (!IGNORED.test(character)) {
      const plain = character.normalize('NFKC').toLowerCase();
      folded += plain;
      for (let index = 0; index < plain.length; index += 1) ranges.push({ start, end });
    }
    start = end;
  }
  return { text: folded, ranges };
}
