import { foldToSimplified } from '../retrieve/opencc-folding.js';

/** Phrases of a knowledge base, as kb.yaml writes them. */
export interface PhraseLists {
  en: readonly string[];
  zh: readonly string[];
}

/** English right before the phrase: "no chest pain", "I don't have any chest pain", "without a fever". */
const ENGLISH_NEGATION =
  /\b(?:no|not|without|never|nor|denies|(?:do|does|did|has|have|had|is|am|are|was|were)(?:n't| not)|don't|isn't)(?: (?:have|has|had|having|feel|feeling|felt|got|getting|any|a|an|the|real|really|severe|more|in))*$/;
/** Chinese right before the phrase: 没有胸痛, 没有任何胸痛, 无胸痛, 不是胸痛. */
const CHINESE_NEGATION =
  /(?<!不是|并非|并不是)(?:没有?|并?无|不是|并非|未(?:见|出现)?|不觉得|没感觉到?)(?:任何|什么|明显|出现|感到|觉得|过|再)*$/;
/** "No, chest pain": what stands before a stop does not negate what comes after it. */
const CLAUSE = /[^,.;:!?，。；：！？、\n]*$/;
/**
 * Whether a text says one of the phrases: English ones as whole words (a plural too), Chinese ones anywhere;
 * case, width, traditional writing and spacing do not matter. Only a plain denial right before it ("no chest pain",
 * 没有胸痛) keeps a phrase from counting: for a red flag, once too often is better than once too few.
 */
export function saysOneOf(text: string, phrases: PhraseLists): boolean {
  const folded = fold(text);
  return (
    phrases.en.some((phrase) => says(folded, englishPattern(phrase), ENGLISH_NEGATION)) ||
    phrases.zh.some((phrase) => says(folded, literalPattern(fold(phrase)), CHINESE_NEGATION))
  );
}

/** Whether a text names one of the phrases, denied or not: "no fever" says something of fever. */
export function mentions(text: string, phrases: PhraseLists): boolean {
  const folded = fold(text);
  return (
    phrases.en.some((phrase) => folded.search(englishPattern(phrase)) !== -1) ||
    phrases.zh.some((phrase) => folded.includes(fold(phrase)))
  );
}

function says(text: string, pattern: RegExp, negation: RegExp): boolean {
  for (const { index } of text.matchAll(pattern)) {
    const before = CLAUSE.exec(text.slice(0, index))?.[0].trimEnd() ?? '';
    if (!negation.test(before)) return true;
  }
  return false;
}

function fold(text: string): string {
  return foldToSimplified(text.normalize('NFKC').toLowerCase())
    .replaceAll(/[’‘`´]/g, "'")
    .replaceAll(/(?<=\p{Script=Han})\s+(?=\p{Script=Han})/gu, '')
    .replaceAll(/\s+/g, ' ');
}

/** Who is in a hurry leaves the apostrophe out: cant breathe. */
function englishPattern(phrase: string): RegExp {
  const words = fold(phrase).trim().split(/[ -]/).map(escapePattern).join('[ -]').replaceAll("'", "'?");
  return new RegExp(`(?<![\\p{L}\\p{N}])${words}s?(?![\\p{L}\\p{N}])`, 'gu');
}

function literalPattern(phrase: string): RegExp {
  return new RegExp(escapePattern(phrase), 'gu');
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
