/** A sentence and where it stands: `text` is `source.slice(start, end)`, without white space around it. */
export interface Sentence {
  start: number;
  end: number;
  text: string;
}

interface Span {
  start: number;
  end: number;
}

const FENCE = /^\s{0,3}(?:```|~~~)/;
const HEADING = /^\s{0,3}#{1,6}\s/;
const TABLE_ROW = /^\s{0,3}\|/;
const TABLE_RULE = /^\s{0,3}\|[\s|:-]+$/;
/** `- item`, `2) item`, `3. item`, `2、项目`, `（一）项目`. */
const LIST_MARKER =
  /^\s*(?:[-*+•·]\s+|\d{1,3}[.)]\s+|\d{1,3}[、．]|[一二三四五六七八九十]{1,3}、|[（(][\d一二三四五六七八九十]{1,3}[）)])/;
const QUOTE = /^\s{0,3}>/;

const FULL_STOPS = new Set('。！？｡');
const HALF_STOPS = new Set('.!?');
/** What may stand between the end of a sentence and the white space after it. */
const CLOSERS = new Set('”’」』）)】》〉〕]"\'*_`~');
const CITATION = /^ ?(?:\[\d{1,3}(?:, ?\d{1,3})*\]|【\d{1,3}】)/;

const ABBREVIATIONS = new Set(
  'e.g i.e cf vs viz ca approx mr mrs ms dr prof st mt fig figs eq sec ch vol al inc ltd co corp dept est tel ext'.split(
    ' ',
  ),
);
const ABBREVIATIONS_BEFORE_A_NUMBER = new Set(
  'no nos art p pp jan feb mar apr jun jul aug sep sept oct nov dec'.split(' '),
);
const LONGEST_WORD_LOOKED_AT = 24;

/**
 * Cuts Chinese, English or mixed Markdown-ish text into sentences. Everything but white space is in exactly one
 * sentence, in order. Headings, list items, table rows (the first with the rule below it), lines of code and
 * paragraphs end a sentence; a single line break inside a paragraph does not. Citation marks (`[1]`) right after the
 * stop belong to the sentence before them.
 */
export function splitSentences(text: string): Sentence[] {
  return findBlocks(text)
    .flatMap(({ start, end, whole }) => (whole ? [{ start, end }] : findSentences(text, start, end)))
    .map((span) => trim(text, span))
    .filter(({ start, end }) => end > start)
    .map(({ start, end }) => ({ start, end, text: text.slice(start, end) }));
}

/** Runs of lines that may share a sentence; `whole` ones are never cut further. */
function findBlocks(text: string): (Span & { whole: boolean })[] {
  const blocks: (Span & { whole: boolean })[] = [];
  let inFence = false;
  let mayContinue = false;
  for (const { start, end } of findLines(text)) {
    const line = text.slice(start, end);
    const last = blocks.at(-1);
    const isFence = FENCE.test(line);
    const whole = inFence || isFence || HEADING.test(line) || TABLE_ROW.test(line);
    if (isFence) inFence = !inFence;
    if (line.trim() === '') {
      mayContinue = false;
    } else if (last !== undefined && isRuleBelowHeader(text, last, line)) {
      last.end = end;
    } else if (last !== undefined && mayContinue && !whole && !LIST_MARKER.test(line) && !QUOTE.test(line)) {
      last.end = end;
    } else {
      blocks.push({ start, end, whole });
      mayContinue = !whole;
    }
  }
  return blocks;
}

function isRuleBelowHeader(text: string, above: Span, line: string): boolean {
  if (!TABLE_RULE.test(line)) return false;
  const header = text.slice(above.start, above.end);
  return TABLE_ROW.test(header) && !header.includes('\n');
}

function* findLines(text: string): Generator<Span> {
  let start = 0;
  for (const { index, 0: lineBreak } of text.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) {
    yield { start, end: index };
    start = index + lineBreak.length;
  }
  yield { start, end: text.length };
}

function findSentences(text: string, start: number, end: number): Span[] {
  const spans: Span[] = [];
  const marker = LIST_MARKER.exec(text.slice(start, Math.min(end, start + LONGEST_WORD_LOOKED_AT)));
  let sentenceStart = start;
  let at = start + (marker?.[0].length ?? 0);
  while (at < end) {
    const stop = text[at] as string;
    if (!FULL_STOPS.has(stop) && !HALF_STOPS.has(stop)) {
      at += 1;
      continue;
    }
    const afterStops = skipWhile(
      text,
      at,
      end,
      (character) => FULL_STOPS.has(character) || HALF_STOPS.has(character),
    );
    const full = FULL_STOPS.has(text[afterStops - 1] as string);
    const sentenceEnd = skipCitations(
      text,
      skipWhile(text, afterStops, end, (c) => CLOSERS.has(c)),
      end,
    );
    if (full || endsSentence(text, { sentenceStart, stop: at, afterStops, sentenceEnd, end })) {
      spans.push({ start: sentenceStart, end: sentenceEnd });
      sentenceStart = sentenceEnd;
      at = sentenceEnd;
    } else {
      at = afterStops;
    }
  }
  spans.push({ start: sentenceStart, end });
  return spans;
}

interface HalfWidthStop {
  sentenceStart: number;
  stop: number;
  afterStops: number;
  sentenceEnd: number;
  end: number;
}

/** A half-width stop is also a decimal point, part of an address or of an abbreviation. */
function endsSentence(
  text: string,
  { sentenceStart, stop, afterStops, sentenceEnd, end }: HalfWidthStop,
): boolean {
  if (sentenceEnd >= end) return true;
  const next = text[sentenceEnd] as string;
  if (/\p{Script=Han}/u.test(next))
    return /[\p{Script=Han}”」』）)]/u.test(text[stop - 1] ?? '') || text[stop] !== '.';
  if (!/\s/.test(next)) return false;
  const following = text.slice(sentenceEnd, sentenceEnd + LONGEST_WORD_LOOKED_AT).trimStart();
  if (/^\p{Ll}/u.test(following)) return false;
  if (text[stop] !== '.' || afterStops > stop + 1) return true;
  return !isAbbreviation(text.slice(Math.max(sentenceStart, stop - LONGEST_WORD_LOOKED_AT), stop), following);
}

function isAbbreviation(before: string, following: string): boolean {
  const word = /[\p{L}\p{N}.]+$/u.exec(before)?.[0] ?? '';
  const lower = word.toLowerCase();
  if (ABBREVIATIONS.has(lower)) return true;
  if (ABBREVIATIONS_BEFORE_A_NUMBER.has(lower)) return /^\d/.test(following);
  if (/^(?:\p{Lu}\.)+\p{Lu}$/u.test(word)) return true;
  // `J. R. Smith`, not `vitamin C. Then`.
  return /(?:^|\.\s?)\p{Lu}$/u.test(before.trimStart());
}

function skipCitations(text: string, from: number, end: number): number {
  let at = from;
  for (;;) {
    const mark = CITATION.exec(text.slice(at, Math.min(end, at + LONGEST_WORD_LOOKED_AT)));
    if (mark === null) return at;
    at += mark[0].length;
  }
}

function skipWhile(text: string, from: number, end: number, accepts: (character: string) => boolean): number {
  let at = from;
  while (at < end && accepts(text[at] as string)) at += 1;
  return at;
}

function trim(text: string, { start, end }: Span): Span {
  const leading = text.slice(start, end).search(/\S/);
  if (leading === -1) return { start, end: start };
  return { start: start + leading, end: start + text.slice(start, end).trimEnd().length };
}
