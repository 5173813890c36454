import { agrees, bestPiece, type Claim, coverage, type Evidence, type Weigh } from './evidence.js';
import type { GroundingFrame } from './grounding.js';
import { namesAreKnown } from './names.js';
import type { Clause } from './negation.js';

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
const CONTRADICTED = 0.25;
const NOT_CITED = 0.55;
const OTHER_SOURCE_SAYS_IT = 0.5;
/** Words of two languages cannot be compared: only numbers and names can. */
const OTHER_LANGUAGE = { numbersAgree: 0.6, nothingToCompare: 0.5 };

/** What it adds to the score when one sentence of the passage has all the numbers. */
const NUMBERS_TOGETHER = 0.15;
/** How much better a source that was not cited must be for the citation to be called the wrong one. */
const CLEARLY_BETTER = 0.3;
/** How much of a claim a piece must say for a difference in number or negation to be a contradiction. */
const SAME_STATEMENT = 0.7;
/** A clause of one word is in too many others. */
const FEWEST_TERMS = 2;

interface CheckOptions {
  /** Passages the sentence cites; empty where it cites none. */
  cited: readonly Evidence[];
  /** All passages the answer was written from. */
  all: readonly Evidence[];
  weigh: Weigh;
}

/**
 * Compares a sentence with the passages it cites: numbers with their units, names and codes, negation, and how many
 * of its terms they contain. A sentence that cites nothing is compared with all of them, and is `weak` at best.
 */
export function checkSentence(claim: Claim, { cited, all, weigh }: CheckOptions): SentenceCheck {
  const score =
    cited.length === 0
      ? Math.min(support(claim, all, weigh), NOT_CITED)
      : supportByCited(claim, { cited, all, weigh });
  return { score: Math.round(score * 100) / 100, verdict: toVerdict(score) };
}

function toVerdict(score: number): Verdict {
  if (score >= SUPPORTED) return 'supported';
  return score >= WEAK ? 'weak' : 'unsupported';
}

function support(claim: Claim, evidence: readonly Evidence[], weigh: Weigh): number {
  const caps = [
    numbersAgree(claim, evidence) ? 1 : WRONG_NUMBER,
    namesAreKnown(claim, evidence) ? 1 : UNKNOWN_NAME,
    evidence.some((source) => contradicts(claim, source, weigh)) ? CONTRADICTED : 1,
  ];
  return Math.min(content(claim, evidence, weigh), ...caps);
}

function content(claim: Claim, evidence: readonly Evidence[], weigh: Weigh): number {
  const readable = evidence.filter(({ language }) => language === claim.language);
  if (readable.length === 0) {
    return claim.quantities.length > 0 ? OTHER_LANGUAGE.numbersAgree : OTHER_LANGUAGE.nothingToCompare;
  }
  const words = coverage(claim.terms, new Set(readable.flatMap(({ terms }) => [...terms])), weigh);
  return Math.min(1, words + (onePieceHasTheNumbers(claim, readable, weigh) ? NUMBERS_TOGETHER : 0));
}

function numbersAgree(claim: Claim, evidence: readonly Evidence[]): boolean {
  return claim.quantities.every((quantity) => evidence.some((source) => agrees(quantity, source)));
}

/** All numbers in the very sentence or table row that the words point to. */
function onePieceHasTheNumbers(claim: Claim, evidence: readonly Evidence[], weigh: Weigh): boolean {
  if (claim.quantities.length === 0) return false;
  return evidence.some((source) => {
    const piece = bestPiece(claim, source, weigh);
    return piece !== undefined && claim.quantities.every((quantity) => agrees(quantity, piece));
  });
}

/**
 * The sentence of the passage that says the same in other respects has another number, or a "not" where the claim
 * has none, or the other way round, clause by clause.
 */
function contradicts(claim: Claim, source: Evidence, weigh: Weigh): boolean {
  if (source.language !== claim.language) return false;
  const piece = bestPiece(claim, source, weigh);
  if (piece === undefined || coverage(claim.terms, piece.terms, weigh) < SAME_STATEMENT) return false;
  if (!claim.quantities.every((quantity) => agrees(quantity, piece))) return true;
  return claim.clauses.some((clause) => {
    if (clause.terms.size < FEWEST_TERMS && claim.clauses.length > 1) return false;
    const same = piece
      .clauses()
      .map((other) => ({ other, share: likeness(clause, other, weigh) }))
      .toSorted((a, b) => b.share - a.share)[0];
    return same !== undefined && same.share >= SAME_STATEMENT && same.other.isNegated !== clause.isNegated;
  });
}

/** How much of one clause the other one says: a claim may join two clauses of the passage in one, or cut one short. */
function likeness(clause: Clause, other: Clause, weigh: Weigh): number {
  const said = coverage(clause.terms, other.terms, weigh);
  return other.terms.size < FEWEST_TERMS ? said : Math.max(said, coverage(other.terms, clause.terms, weigh));
}

/** Where a passage that was not cited says it much better, the number is probably the wrong one. */
function supportByCited(claim: Claim, { cited, all, weigh }: CheckOptions): number {
  const own = support(claim, cited, weigh);
  if (own + CLEARLY_BETTER > 1) return own;
  const isBetter = (source: Evidence): boolean => support(claim, [source], weigh) >= own + CLEARLY_BETTER;
  return all.some((source) => !cited.includes(source) && isBetter(source))
    ? Math.min(own, OTHER_SOURCE_SAYS_IT)
    : own;
}
