const CJK = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}';
/** A CJK character (group 1); else a run of letters and digits (group 2); else a run of one sign. */
const ATOM = new RegExp(`([${CJK}])|((?:(?![${CJK}])[\\p{L}\\p{M}\\p{N}])+)|(\\S)\\3*`, 'gu');

/** An English word is 1.3 tokens on average (the usual rule of thumb of 3 words to 4 tokens); long ones are more. */
const TOKENS_PER_WORD = 1.3;
const CHARACTERS_PER_TOKEN = 4;

/** A smallest piece of text that is counted, and may be cut off, as one. */
export interface Atom {
  start: number;
  end: number;
  tokens: number;
}

/**
 * How many tokens a language model would roughly see: 1 per Chinese character, 1.3 per Latin word or number (more
 * where it is longer than five letters), 1 per run of a sign. Depends on the text only, never on a model, so that
 * passages are cut alike everywhere.
 */
export function countTokens(text: string): number {
  let tokens = 0;
  for (const atom of findAtoms(text)) tokens += atom.tokens;
  // Ten times 1.3 is a little more than 13 in floating point.
  return Math.ceil(Math.round(tokens * 100) / 100);
}

/** The counted pieces of a text in order; white space between them counts nothing. */
export function* findAtoms(text: string): Generator<Atom> {
  for (const { index, 0: atom, 1: character, 2: word } of text.matchAll(ATOM)) {
    const atLeast = character === undefined && word !== undefined ? TOKENS_PER_WORD : 1;
    yield {
      start: index,
      end: index + atom.length,
      tokens: Math.max(atLeast, (character === undefined ? atom.length : 0) / CHARACTERS_PER_TOKEN),
    };
  }
}
