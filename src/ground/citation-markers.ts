/** What a stretch of the answer turned out to be. */
export type MarkerToken =
  /** One character (UTF-16 code unit) of the answer; `code` inside a fenced block. */
  | { type: 'character'; character: string; code: boolean }
  /** A citation marker; the numbers as they were written, ranges expanded. */
  | { type: 'marker'; numbers: number[] };

/** Reads an answer character by character; what is given does not depend on how the answer was cut into deltas. */
export interface MarkerReader {
  read(character: string): MarkerToken[];
  finish(): MarkerToken[];
}

const OPENERS = new Set('[【［');
const WORDS = ['sources', 'passages', '来源', '资料', '段落', '引用', '参考'];
const WORD = '(?:sources?|passages?|来源|资料|段落|引用|参考)';
const NUMBER = '[0-9０-９]{1,2}';
const SEPARATOR = '[,，、;；&和及\\-–—~～至]';
/** `[1]`, `[1, 2]`, `[1-3]`, `[^1]`, `【1】`, `［１］`, `[Source 1]`, `【1†source】`. Years and indices of three digits are none. */
const MARKER = new RegExp(
  `^[[【［] ?\\^?${WORD}? ?[#:：]? ?(${NUMBER}(?: ?${SEPARATOR} ?${NUMBER})*) ?(?:†[^\\]】］]{0,20})?[\\]】］]$`,
  'iu',
);
/** What a marker may look like before it is closed, the word at its beginning apart. */
const MARKER_SO_FAR = new RegExp(
  `^ ?\\^?([a-z\\p{Script=Han}]*) ?[#:：]? ?(?:${NUMBER}(?: ?${SEPARATOR} ?(?:${NUMBER})?)* ?(?:†[^\\]】］]{0,20})?)?$`,
  'iu',
);
const LONGEST_MARKER = 40;
/** `[1-20]` is a range; `[1-99]` is nonsense that would cite everything. */
const LONGEST_RANGE = 20;

const FENCE_OPEN = /^\s*(?:[-*+]\s+)?(`{3,}|~{3,})$/;

/**
 * Tells citation markers from text that only looks like one: code, inline code and links (`[1](https://…)`) are
 * left alone. Holds back only what may still become a marker.
 */
export function createMarkerReader(): MarkerReader {
  let held = '';
  /** The marker in `held` is complete, but a link if a bracket follows. */
  let complete: number[] | undefined;
  const code = createCodeTracker();

  const plain = (text: string): MarkerToken[] =>
    [...splitUnits(text)].map((character) => ({
      type: 'character',
      character,
      code: code.pass(character),
    }));
  const release = (): MarkerToken[] => {
    const text = held;
    held = '';
    complete = undefined;
    return plain(text);
  };

  const read = (character: string): MarkerToken[] => {
    if (complete !== undefined) {
      if (character === '(') return [...release(), ...plain(character)];
      const marker: MarkerToken = { type: 'marker', numbers: complete };
      held = '';
      complete = undefined;
      return [marker, ...read(character)];
    }
    if (held === '') {
      if (!OPENERS.has(character) || code.isInCode()) return plain(character);
      held = character;
      return [];
    }
    const longer = held + character;
    const numbers = readMarker(longer);
    if (numbers !== undefined) {
      held = longer;
      complete = numbers;
      return [];
    }
    if (mayBecomeMarker(longer)) {
      held = longer;
      return [];
    }
    return [...release(), ...read(character)];
  };

  return {
    read,
    finish() {
      if (complete === undefined) return release();
      const marker: MarkerToken = { type: 'marker', numbers: complete };
      held = '';
      complete = undefined;
      return [marker];
    },
  };
}

function* splitUnits(text: string): Generator<string> {
  for (let index = 0; index < text.length; index += 1) yield text.charAt(index);
}

function readMarker(text: string): number[] | undefined {
  const listed = MARKER.exec(text)?.[1];
  if (listed === undefined) return undefined;
  return [...listed.normalize('NFKC').matchAll(/(\d+)(?: ?[-–—~至] ?(\d+))?/g)].flatMap(([, first, last]) => {
    const from = Number(first);
    const to = Number(last ?? first);
    if (to < from || to - from > LONGEST_RANGE) return [from, to];
    return Array.from({ length: to - from + 1 }, (_, step) => from + step);
  });
}

function mayBecomeMarker(text: string): boolean {
  if (text.length > LONGEST_MARKER) return false;
  const word = MARKER_SO_FAR.exec(text.slice(1))?.[1];
  return word !== undefined && WORDS.some((whole) => whole.startsWith(word.toLowerCase()));
}

/** Follows back-quotes: a fenced block lasts to its closing fence, inline code at most to the end of its line. */
function createCodeTracker() {
  let line = '';
  let run = '';
  let fence: string | undefined;
  let openedOnThisLine = false;
  let inline = 0;

  const endRun = (): void => {
    if (run === '') return;
    if (fence === undefined && inline === 0 && FENCE_OPEN.test(line)) {
      fence = run;
      openedOnThisLine = true;
    } else if (fence === undefined && run.startsWith('`')) {
      if (inline === 0) inline = run.length;
      else if (inline === run.length) inline = 0;
    }
    run = '';
  };
  const closesFence = (): boolean => {
    const mark = line.trim();
    return fence !== undefined && !openedOnThisLine && mark.startsWith(fence) && /^(`+|~+)$/.test(mark);
  };
  const endLine = (): void => {
    if (closesFence()) fence = undefined;
    line = '';
    inline = 0;
    openedOnThisLine = false;
  };

  return {
    /** Whether what begins now would be code. */
    isInCode(): boolean {
      endRun();
      return fence !== undefined || inline > 0;
    },
    /** Takes the next character of the text; true where it belongs to a fenced block. */
    pass(character: string): boolean {
      const isMark = character === '`' || (character === '~' && /^\s*~*$/.test(line));
      if (!isMark || !run.endsWith(character)) endRun();
      if (isMark) run += character;
      const inside = fence !== undefined;
      if (character === '\n') endLine();
      else line += character;
      return inside;
    },
  };
}
