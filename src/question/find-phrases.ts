import { foldToSimplified } from '../retrieve/opencc-folding.js';

/** Phrases of a knowledge base, as kb.yaml writes them. */
export interface PhraseLists {
  en: readonly string[];
  zh: readonly string[];
}

/** English right before the phrase: "no chest pain", "I don't have any chest pain", "no need to pass me on". */
const ENGLISH_NEGATION =
  /\b(?:(?:no|(?:do|does|did)(?:n't| not)) need to|(?:no|not|without|never|nor|denies|(?:do|does|did|has|have|had|is|am|are|was|were)(?:n't| not)|don't|isn't)(?: (?:have|has|had|having|feel|feeling|felt|got|getting|any|a|an|the|real|really|severe|more|in))*)$/;
/** Chinese right before the phrase: 没有胸痛, 没有任何胸痛, 无胸痛, 不是胸痛; 不用转人工; not 有没有胸痛, 是不是胸痛, which ask. */
const CHINESE_NEGATION =
  /(?<!不是|并非|并不是|有|是)(?:没有?|并?无|不是|并非|未(?:见|出现)?|不觉得|没感觉到?|不用|不需要|无需|不必)(?:任何|什么|明显|出现|感到|觉得|过|再)*$/;
/** "No, chest pain": what stands before a stop does not negate what comes after it. */
const CLAUSE = /[^,.;:!?，。；：！？、\n]*$/;
/**
 * Whether a text says one of the phrases: English ones as whole words (a plural too), Chinese ones anywhere;
 * case, width, traditional writing and spacing do not matter. `neck + stiff|rigid` asks for both, in any order and
 * anywhere, the second in either wording; `=agent|operator` for a text that is nothing else. Only a plain denial right before it ("no chest pain", 没有胸痛) keeps a phrase
 * from counting: for a red flag, once too often is better than once too few.
 */
export function saysOneOf(text: string, phrases: PhraseLists): boolean {
  return findPhrase(text, phrases, (folded, { pattern, negation }) => {
    return [...folded.matchAll(pattern)].some(
      ({ index }) => !negation.test(CLAUSE.exec(folded.slice(0, index))?.[0].trimEnd() ?? ''),
    );
  });
}

/** Whether a text names one of the phrases, denied or not: "no fever" says something of fever. */
export function mentions(text: string, phrases: PhraseLists): boolean {
  return findPhrase(text, phrases, (folded, { pattern }) => folded.search(pattern) !== -1);
}

/** What may be wrong with a phrase: a part of it without words would be found in every text. */
export function isPhrase(phrase: string): boolean {
  return partsOf(phrase).every((wordings) => wordings.every((wording) => /[\p{L}\p{N}]/u.test(wording)));
}

/** The first phrase that can be written as it stands, to be heard. */
export function plainPhrase(phrases: readonly string[]): string | undefined {
  return phrases.find((phrase) => partsOf(phrase).flat().join() === phrase);
}

/** One part of a phrase, in any of its wordings. */
interface Part {
  pattern: RegExp;
  negation: RegExp;
}

/** `=agent`: only where nothing else is said. */
const ALONE = '=';

const compiled = new WeakMap<PhraseLists, Part[][]>();

function findPhrase(
  text: string,
  phrases: PhraseLists,
  isIn: (folded: string, part: Part) => boolean,
): boolean {
  let known = compiled.get(phrases);
  if (known === undefined) {
    known = [
      ...phrases.en.map((phrase) => compile(phrase, englishPattern, ENGLISH_NEGATION)),
      ...phrases.zh.map((phrase) => compile(phrase, literalPattern, CHINESE_NEGATION)),
    ];
    compiled.set(phrases, known);
  }
  const folded = fold(text);
  return known.some((parts) => parts.every((part) => isIn(folded, part)));
}

function compile(
  phrase: string,
  toPattern: (wordings: readonly string[]) => string,
  negation: RegExp,
): Part[] {
  const isAlone = phrase.startsWith(ALONE);
  return partsOf(phrase).map((wordings) => {
    const pattern = toPattern(wordings);
    return { pattern: new RegExp(isAlone ? alone(pattern) : pattern, 'gu'), negation };
  });
}

function partsOf(phrase: string): string[][] {
  const words = phrase.startsWith(ALONE) ? phrase.slice(ALONE.length) : phrase;
  return words.split(/\s\+\s/).map((part) => part.split('|').map((wording) => wording.trim()));
}

function fold(text: string): string {
  return foldToSimplified(text.normalize('NFKC').toLowerCase())
    .replaceAll(/[’‘`´]/g, "'")
    .replaceAll(/(?<=\p{Script=Han})\s+(?=\p{Script=Han})/gu, '')
    .replaceAll(/\s+/g, ' ');
}

/** Who is in a hurry leaves the apostrophe out: cant breathe. */
function englishPattern(wordings: readonly string[]): string {
  const words = wordings.map((wording) => fold(wording).split(/[ -]/).map(escapePattern).join('[ -]'));
  return `(?<![\\p{L}\\p{N}])(?:${words.join('|').replaceAll("'", "'?")})s?(?![\\p{L}\\p{N}])`;
}

/** Nothing else is said, but for politeness and punctuation; said again and again it is the same. */
function alone(pattern: string): string {
  const filler =
    '(?:[^\\p{L}\\p{N}]|(?:please|pls|plz|now|hi|hello|thanks|thank you)(?![\\p{L}])|请|谢谢|麻烦|快)*';
  return `^${filler}(?:(?:${pattern})${filler})+$`;
}

function literalPattern(wordings: readonly string[]): string {
  return wordings.map((wording) => escapePattern(fold(wording))).join('|');
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
