import { bestPiece, type Claim, coverage, type Evidence } from './evidence.js';
import type { GroundingFrame } from './grounding.js';
import { compareQuantity } from './quantities.js';

export type Verdict = Extract<GroundingFrame, { type: 'grounding-checked' }>['verdict'];

export interface SentenceCheck {
  verdict: Verdict;
  /** 0 to 1, how much of the sentence the cited passages support. */
  score: number;
}

/** From here on a sentence says what the passage says, in other words at most. */
const SUPPORTED = 0.6;
/** Below this the passage is about something else. */
const WEAK = 0.35;

/** Caps on the score, by what is wrong with a sentence whatever else fits. */
const WRONG_NUMBER = 0.1;
const UNKNOWN_NAME = 0.2;
const TURNED_AROUND = 0.25;
const NOT_CITED = 0.55;
const OTHER_SOURCE_SAYS_IT = 0.5;
/** Words of two languages cannot be compared: only numbers and names can. */
const OTHER_LANGUAGE = { numbersAgree: 0.6, nothingToCompare: 0.5 };

/** What it adds to the score when one sentence of the passage has all the numbers. */
const NUMBERS_TOGETHER = 0.15;
/** How much better a source that was not cited must be for the citation to be called the wrong one. */
const CLEARLY_BETTER = 0.3;
/** How much of a piece and a claim must be the same for a "not" in only one of them to count. */
const SAME_STATEMENT = 0.7;

interface CheckOptions {
  /** Passages the sentence cites; empty where it cites none. */
  cited: readonly Evidence[];
  /** All passages the answer was written from. */
  all: readonly Evidence[];
  weigh: (term: string) => number;
}

/**
 * Compares a sentence with the passages it cites: numbers with their units, names and codes, negation, and how many
 * of its terms they contain. A sentence that cites nothing is compared with all of them, and is `weak` at best.
 */
export function checkSentence(claim: Claim, { cited, all, weigh }: CheckOptions): SentenceCheck {
  const score =
    cited.length === 0
      ? Math.min(support(claim, all, weigh), NOT_CITED)
      : Math.min(support(claim, cited, weigh), capByOthers(claim, { cited, all, weigh }));
  return { score: Math.round(score * 100) / 100, verdict: toVerdict(score) };
}

function toVerdict(score: number): Verdict {
  if (score >= SUPPORTED) return 'supported';
  return score >= WEAK ? 'weak' : 'unsupported';
}

function support(claim: Claim, evidence: readonly Evidence[], weigh: (term: string) => number): number {
  const caps = [
    numbersAgree(claim, evidence) ? 1 : WRONG_NUMBER,
    namesAreKnown(claim, evidence) ? 1 : UNKNOWN_NAME,
    saysTheOpposite(claim, evidence, weigh) ? TURNED_AROUND : 1,
  ];
  return Math.min(content(claim, evidence, weigh), ...caps);
}

function content(claim: Claim, evidence: readonly Evidence[], weigh: (term: string) => number): number {
  const readable = evidence.filter(({ language }) => language === claim.language);
  if (readable.length === 0) {
    return claim.quantities.length > 0 ? OTHER_LANGUAGE.numbersAgree : OTHER_LANGUAGE.nothingToCompare;
  }
  const words = coverage(claim, new Set(readable.flatMap(({ terms }) => [...terms])), weigh);
  return Math.min(1, words + (onePieceHasTheNumbers(claim, readable, weigh) ? NUMBERS_TOGETHER : 0));
}

/** All numbers in the very sentence or table row that the words point to. */
function onePieceHasTheNumbers(
  claim: Claim,
  evidence: readonly Evidence[],
  weigh: (term: string) => number,
): boolean {
  if (claim.quantities.length === 0) return false;
  return evidence.some((source) => {
    const given = bestPiece(claim, source, weigh)?.quantities ?? [];
    return claim.quantities.every((quantity) => compareQuantity(quantity, given) === 'same');
  });
}

function numbersAgree(claim: Claim, evidence: readonly Evidence[]): boolean {
  const given = evidence.flatMap(({ quantities }) => quantities);
  return claim.quantities.every((quantity) => compareQuantity(quantity, given) === 'same');
}

/** Codes (E07, WF-1000) and capitalised words inside the sentence, which its language does not capitalise by itself. */
const CODE =
  /(?<![\p{L}\p{N}])(?=[\p{L}-]*\d)(?=[\d-]*[A-Za-z])[A-Za-z\d]+(?:-[A-Za-z\d]+)*(?![\p{L}\p{N}])/gu;
const NAME = /(?<=[\p{L}\p{N},;)’'"] )(?!I\b)\p{Lu}[\p{L}’'-]*/gu;
const LATIN_IN_CHINESE = /[A-Za-z][A-Za-z.'-]*[A-Za-z]/g;

/**
 * Names are looked up as they are written: case apart, a plural or a possessive apart. Not across languages, where
 * a name is written in another script; codes are the same in all.
 */
function namesAreKnown({ text, language }: Claim, evidence: readonly Evidence[]): boolean {
  const readable = evidence.some((source) => source.language === language);
  const plain = text.normalize('NFKC').replaceAll(/[*_`]/g, '');
  const names = [
    ...plain.matchAll(CODE),
    ...(readable ? plain.matchAll(language === 'zh' ? LATIN_IN_CHINESE : NAME) : []),
  ].map(([name]) => simplifyName(name));
  if (names.length === 0) return true;
  const known = simplifyName(evidence.map(({ wholeText }) => wholeText.normalize('NFKC')).join('\n'));
  return names.every((name) => known.includes(name));
}

function simplifyName(name: string): string {
  return name
    .toLowerCase()
    .replaceAll('’', "'")
    .replace(/(?:'s|s)$/, '')
    .replaceAll('-', '');
}

const ENGLISH_NEGATION = /\b(?:no|not|never|none|nor|neither|without|cannot|except|unless)\b|n['’]t\b/i;
const CHINESE_NEGATION =
  /不(?!同|仅|只|但|光|过[，,]|论|管|少于|超过|得不)|没|无(?!论|线)|未(?!来)|勿|别(?=[再去把用忘])|禁止|严禁/;
const CLAUSE_BREAK = /[,;:，；：。、（）()]|\b(?:but|and|if|while|although)\b|但|而|如果/;

/** The passage states the same with a "not" that the claim lacks, or the other way round. */
function saysTheOpposite(
  claim: Claim,
  evidence: readonly Evidence[],
  weigh: (term: string) => number,
): boolean {
  const negated = isNegated(claim.text, claim.language);
  return evidence.some((source) => {
    if (source.language !== claim.language) return false;
    const piece = bestPiece(claim, source, weigh);
    if (piece === undefined || coverage(claim, piece.terms, weigh) < SAME_STATEMENT) return false;
    // In a sentence of several clauses nobody can say by words alone which of them the "not" belongs to.
    if (CLAUSE_BREAK.test(stripEnd(piece.text)) !== CLAUSE_BREAK.test(stripEnd(claim.text))) {
      return negated && !isNegated(piece.text, claim.language);
    }
    return negated !== isNegated(piece.text, claim.language);
  });
}

function isNegated(text: string, language: Claim['language']): boolean {
  return (language === 'zh' ? CHINESE_NEGATION : ENGLISH_NEGATION).test(text);
}

function stripEnd(text: string): string {
  return text.replace(/[\s\p{P}]+$/u, '').replace(/^[\s\p{P}]+/u, '');
}

/** A passage that was not cited says it much better: the number is probably the wrong one. */
function capByOthers(claim: Claim, { cited, all, weigh }: CheckOptions): number {
  const own = support(claim, cited, weigh);
  const best = Math.max(
    0,
    ...all.filter((source) => !cited.includes(source)).map((source) => support(claim, [source], weigh)),
  );
  return best - own >= CLEARLY_BETTER ? OTHER_SOURCE_SAYS_IT : 1;
}
