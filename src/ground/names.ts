import type { Claim, Evidence } from './evidence.js';

/** E07, WF-1000. */
const CODE =
  /(?<![\p{L}\p{N}])(?=[\p{L}-]*\d)(?=[\d-]*[A-Za-z])[A-Za-z\d]+(?:-[A-Za-z\d]+)*(?![\p{L}\p{N}])/gu;
/** A capitalised word inside a sentence. */
const ENGLISH_NAME = /(?<=[\p{L}\p{N},;)’'"] )(?!I\b)\p{Lu}[\p{L}’'-]*/gu;
const LATIN_IN_CHINESE = /[A-Za-z][A-Za-z.'-]*[A-Za-z]/g;

/**
 * Names and codes of the claim that are not in the passages. Case, a plural and a possessive do not matter. Names
 * are not compared across languages, where they are written in another script; codes are the same in all.
 */
export function unknownNames({ text, language }: Claim, evidence: readonly Evidence[]): string[] {
  const isReadable = evidence.some((source) => source.language === language);
  const plain = text.normalize('NFKC').replaceAll(/[*_`]/g, '');
  const names = [
    ...plain.matchAll(CODE),
    ...(isReadable ? plain.matchAll(language === 'zh' ? LATIN_IN_CHINESE : ENGLISH_NAME) : []),
  ].map(([name]) => name);
  if (names.length === 0) return [];
  const known = simplify(evidence.map(({ wholeText }) => wholeText.normalize('NFKC')).join('\n'));
  return names.filter((name) => !known.includes(simplify(name)));
}

function simplify(name: string): string {
  return name
    .toLowerCase()
    .replaceAll('’', "'")
    .replace(/(?:'s|s)$/, '')
    .replaceAll('-', '');
}
