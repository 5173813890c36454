/** Joiners hold emoji like 👩‍🚒 together; everywhere else they are invisible. */
const JOINER_OUTSIDE_EMOJI =
  /(?<!(?:\p{Extended_Pictographic}|\p{Emoji_Modifier})\uFE0F?)\u200D|\u200D(?!\p{Extended_Pictographic})/gu;
/**
 * Controls (but not tab and line feed), zero-width and direction marks, tag characters and other carriers of hidden
 * text, halves of surrogate pairs, noncharacters.
 */
const INVISIBLE =
  /(?![\t\n])\p{Cc}|\p{Cs}|\p{Noncharacter_Code_Point}|\u034F|[\u180B-\u180D]|[\u00AD\u061C\u115F\u1160\u17B4\u17B5\u180E\u200B\u200C\u200E\u200F\u202A-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF0-\uFFFB\u{E0000}-\u{E0FFF}]/gu;
const LINE_BREAK = /\r\n|[\r\v\f\u0085\u2028\u2029]/g;
const WIDE_SPACE = /[\u00A0\u2007\u202F]/g;

/** Padding that would make a passage long without saying anything. */
const LONG_SPACE = /[^\S\n]{32,}/g;
const MANY_LINE_BREAKS = /\n{4,}/g;

/** Text that is safe to show, to quote and to hand to a model: NFC, `\n` line breaks, nothing invisible in it. */
export function cleanText(text: string): string {
  return text
    .replace(LINE_BREAK, '\n')
    .replace(JOINER_OUTSIDE_EMOJI, '')
    .replace(INVISIBLE, '')
    .replace(WIDE_SPACE, ' ')
    .replace(LONG_SPACE, ' ')
    .replace(MANY_LINE_BREAKS, '\n\n\n')
    .normalize('NFC');
}

const HAN_OR_PUNCTUATION = /[\p{Script=Han}\u3000-\u303F\uFF00-\uFFEF“”‘’—…]/u;

/** One line of cleaned text: line breaks become a space, or nothing between Chinese characters. */
export function oneLine(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim().replaceAll(/[ \t]{2,}/g, ' '))
    .filter((line) => line !== '')
    .reduce((before, line) => joinWrapped(before, line), '');
}

/** Joins two lines of a paragraph. Chinese has no space to give back. */
export function joinWrapped(before: string, after: string): string {
  if (before === '') return after;
  const chinese = HAN_OR_PUNCTUATION.test(before.at(-1) ?? '') && HAN_OR_PUNCTUATION.test(after[0] ?? '');
  return chinese ? before + after : `${before} ${after}`;
}
