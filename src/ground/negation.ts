import type { Analyzer } from '../retrieve/analyzer.js';
import type { Language } from '../types.js';

/** A part of a sentence that can have a "not" of its own. */
export interface Clause {
  text: string;
  /** Terms of its words, without negation. */
  terms: ReadonlySet<string>;
  isNegated: boolean;
}

const ENGLISH = /\b(?:no|not|never|none|nor|neither|without|cannot|unable)\b|n['’]t\b/gi;
const CHINESE =
  /不(?!同|仅|只|但|光|过[，,]|论|管|少于|超过|得不|久|足|良|适|锈|便|断|停)|没|无(?!论|线|名|糖|氟)|未(?!来|成年)|勿|别(?=[再去把用忘])|禁止|严禁/g;
const CLAUSE_BREAK =
  /[,;:!?，；：。！？（）()\n]|\.(?=\s|$)|\b(?:but|because|if|while|although|unless|until|when)\b|但|而且|如果|因为|除非/i;
/** A "not" is no subject: it is compared by itself. */
const TERMS = new Set(
  'no not never none nor neither without cannot unabl 不 没 没有 无 未 别 勿 不能 不会 不是 不可 不要 不用 不必 无法 无需 禁止 严禁'.split(
    ' ',
  ),
);

export function withoutNegation(terms: readonly string[]): Set<string> {
  return new Set(terms.filter((term) => !TERMS.has(term)));
}

export function readClauses(text: string, language: Language, analyze: Analyzer['analyze']): Clause[] {
  return text
    .split(CLAUSE_BREAK)
    .filter((part) => /[\p{L}\p{N}]/u.test(part))
    .map((part) => ({
      text: part.trim(),
      terms: withoutNegation(analyze(part, { dictionary: [], synonyms: [] })),
      isNegated: isNegated(part, language),
    }));
}

/** Two "not" in one clause take each other away: 无不, "not without". */
function isNegated(text: string, language: Language): boolean {
  // 不过 that begins a clause is "but".
  const said = text.replace(/^[\s“"]*不过/, '');
  return (said.match(language === 'zh' ? CHINESE : ENGLISH)?.length ?? 0) % 2 === 1;
}
