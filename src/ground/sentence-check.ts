import {
  agrees,
  bestPiece,
  type Claim,
  coverage,
  type Evidence,
  type EvidencePiece,
  type Weigh,
} from './evidence.js';
import { exchangedNames } from './exchanged-names.js';
import type { GroundingFrame } from './grounding.js';
import { unknownNames } from './names.js';
import type { Clause } from './negation.js';
import { compareQuantity, exchangedQuantities } from './quantities.js';
import { readStatements } from './statements.js';

export type Verdict = Extract<GroundingFrame, { type: 'grounding-checked' }>['verdict'];

/** What speaks against a sentence, and the words of it that do. */
export type Doubt = Extract<GroundingFrame, { type: 'grounding-checked' }>['reasons'][number];

export interface SentenceCheck {
  verdict: Verdict;
  /** 0 to 1, how much of the sentence the cited passages support. */
  score: number;
  /** Why it is not `supported`, the gravest first; empty where it is. */
  reasons: Doubt[];
}

/** From here on a sentence says what the passage says, in other words at most. */
const SUPPORTED = 0.6;
/** Below this the passage is about something else. */
const WEAK = 0.35;

/** Caps on the score, by what is wrong with a sentence whatever else fits. */
const CAPS: Record<Doubt['reason'], number> = {
  number: 0.1,
  unit: 0.1,
  name: 0.2,
  negation: 0.25,
  'other-source': 0.5,
  'not-cited': 0.55,
  'not-said': 1,
};
/** Words of two languages cannot be compared: only numbers and names can. */
const OTHER_LANGUAGE = { numbersAgree: 0.6, nothingToCompare: 0.5 };

/** What it adds to the score when one sentence of the passage has all the numbers. */
const NUMBERS_TOGETHER = 0.15;
/** How much better a source that was not cited must be for the citation to be called the wrong one. */
const CLEARLY_BETTER = 0.3;
/** How much of a claim a piece must say for a difference in number or negation to be a contradiction. */
const SAME_STATEMENT = 0.7;
/** The same for an exchanged name, whose own words are among those that differ. */
const SIMILAR_STATEMENT = 0.45;
/** Reasons are for people to read. */
const MOST_REASONS = 4;
/** A clause of one word is in too many others. */
const FEWEST_TERMS = 2;

/** What a marker stands for: all of a sentence, or what came since the marker before. */
export interface CitedClause {
  claim: Claim;
  cited: readonly Evidence[];
}

interface CheckOptions {
  /** Passages the sentence cites; empty where it cites none. */
  cited: readonly Evidence[];
  /** Where its markers stand for different clauses: each with what it cites. */
  clauses?: readonly CitedClause[];
  /** All passages the answer was written from. */
  all: readonly Evidence[];
  weigh: Weigh;
}

/**
 * Compares a sentence with the passages it cites: numbers with their units, names and codes, negation, and how many
 * of its terms they contain. A sentence that cites nothing is compared with all of them, and is `weak` at best.
 */
export function checkSentence(claim: Claim, options: CheckOptions): SentenceCheck {
  const { cited, all, weigh } = options;
  const check = cited.length === 0 ? uncited(claim, all, weigh) : citing(claim, options);
  const verdict = toVerdict(check.score);
  return { score: Math.round(check.score * 100) / 100, verdict, reasons: reasonsFor(verdict, check.doubts) };
}

function toVerdict(score: number): Verdict {
  if (score >= SUPPORTED) return 'supported';
  return score >= WEAK ? 'weak' : 'unsupported';
}

function reasonsFor(verdict: Verdict, doubts: readonly Doubt[]): Doubt[] {
  if (verdict === 'supported') return [];
  const known = doubts.filter(
    ({ reason, words }, index) =>
      index === doubts.findIndex((other) => other.reason === reason && other.words === words),
  );
  const gravest = known.toSorted((a, b) => CAPS[a.reason] - CAPS[b.reason]).slice(0, MOST_REASONS);
  return gravest.length === 0 ? [{ reason: 'not-said' }] : gravest;
}

interface Support {
  /** 0 to 1, capped by the gravest doubt. */
  score: number;
  doubts: Doubt[];
}

function support(claim: Claim, evidence: readonly Evidence[], weigh: Weigh): Support {
  const statements = readStatements(claim, evidence, weigh);
  const doubts = [
    ...doubtfulQuantities(claim, evidence),
    ...unknownNames(claim, evidence).map((words): Doubt => ({ reason: 'name', words })),
    ...statements.flatMap((statement) => contradictions(statement, evidence, weigh)),
  ];
  const words = wordsSaid(claim, evidence, weigh);
  const together = words.readable.length > 0 && haveTheirNumbers(statements, words.readable, weigh);
  return capped(Math.min(1, words.score + (together ? NUMBERS_TOGETHER : 0)), doubts);
}

function capped(score: number, doubts: Doubt[]): Support {
  return { score: Math.min(score, ...doubts.map(({ reason }) => CAPS[reason])), doubts };
}

function uncited(claim: Claim, all: readonly Evidence[], weigh: Weigh): Support {
  const { score, doubts } = support(claim, all, weigh);
  return capped(score, [...doubts, { reason: 'not-cited' }]);
}

/** Where another passage says it much better than the one that is cited, the number is probably the wrong one. */
function citing(claim: Claim, { cited, clauses = [], all, weigh }: CheckOptions): Support {
  const own = support(claim, cited, weigh);
  const isMisplaced =
    anotherSaysIt({ claim, cited }, { all, weigh, own }) ||
    clauses.some((clause) =>
      anotherSaysIt(clause, { all, weigh, own: support(clause.claim, clause.cited, weigh) }),
    );
  return isMisplaced ? capped(own.score, [...own.doubts, { reason: 'other-source' }]) : own;
}

function anotherSaysIt(
  { claim, cited }: CitedClause,
  { all, weigh, own }: { all: readonly Evidence[]; weigh: Weigh; own: Support },
): boolean {
  const needed = own.score + CLEARLY_BETTER;
  if (needed > 1) return false;
  // No doubt raises the score: most sources are ruled out by their words, before anything is compared closely.
  const couldSay = (source: Evidence): boolean =>
    wordsSaid(claim, [source], weigh).score + NUMBERS_TOGETHER >= needed;
  return all.some(
    (source) =>
      !cited.includes(source) && couldSay(source) && support(claim, [source], weigh).score >= needed,
  );
}

/** How much of the claim's words the evidence has that is in its language. */
function wordsSaid(
  claim: Claim,
  evidence: readonly Evidence[],
  weigh: Weigh,
): { score: number; readable: readonly Evidence[] } {
  const readable = evidence.filter(({ language }) => language === claim.language);
  if (readable.length === 0) {
    const { numbersAgree, nothingToCompare } = OTHER_LANGUAGE;
    return { score: claim.quantities.length > 0 ? numbersAgree : nothingToCompare, readable };
  }
  const terms = new Set(readable.flatMap((source) => [...source.terms]));
  return { score: coverage(claim.terms, terms, weigh), readable };
}

function doubtfulQuantities(
  claim: Claim,
  evidence: readonly Pick<Evidence, 'quantities'>[],
  options?: { closely: boolean },
): Doubt[] {
  const given = evidence.flatMap(({ quantities }) => quantities);
  return claim.quantities.flatMap((quantity): Doubt[] => {
    const agreement = compareQuantity(quantity, given, options);
    if (agreement === 'same') return [];
    return [{ reason: agreement === 'missing' ? 'number' : 'unit', words: quantity.text }];
  });
}

/** All numbers of each statement in the very sentence or table row that its words point to. */
function haveTheirNumbers(
  statements: readonly Claim[],
  evidence: readonly Evidence[],
  weigh: Weigh,
): boolean {
  const withNumbers = statements.filter(({ quantities }) => quantities.length > 0);
  const isTogether = (statement: Claim, source: Evidence): boolean => {
    const piece = bestPiece(statement, source.pieces, weigh);
    return piece !== undefined && statement.quantities.every((quantity) => agrees(quantity, piece));
  };
  return (
    withNumbers.length > 0 &&
    withNumbers.every((statement) => evidence.some((source) => isTogether(statement, source)))
  );
}

/**
 * The sentence of the passages that says the same in other respects has another number or name, or a "not" where
 * the claim has none, or the other way round, clause by clause.
 */
function contradictions(claim: Claim, evidence: readonly Evidence[], weigh: Weigh): Doubt[] {
  const pieces = evidence
    .filter(({ language }) => language === claim.language)
    .flatMap((source) => bestPiece(claim, source.pieces, weigh) ?? [])
    .map((piece) => ({ piece, share: coverage(claim.terms, piece.terms, weigh) }))
    .toSorted((a, b) => b.share - a.share);
  const closest = pieces[0];
  if (closest === undefined || closest.share < SIMILAR_STATEMENT) return [];
  const { piece, share } = closest;
  const wholeText = evidence.map((source) => source.wholeText).join('\n');
  const names = exchangedNames(claim, piece, wholeText).map((words): Doubt => ({ reason: 'name', words }));
  if (share < SAME_STATEMENT) return names;
  const alike = pieces.filter((other) => other.share >= SAME_STATEMENT).map((other) => other.piece);
  const negations = negatedClauses(claim, piece, weigh).map(
    (words): Doubt => ({ reason: 'negation', words }),
  );
  const exchanged = alike.length > 1 ? [] : exchangedQuantities(claim.quantities, piece.quantities);
  return [
    ...names,
    ...doubtfulQuantities(claim, alike, { closely: true }),
    ...exchanged.map(({ text }): Doubt => ({ reason: 'number', words: text })),
    ...negations,
  ];
}

function negatedClauses(claim: Claim, piece: EvidencePiece, weigh: Weigh): string[] {
  const clauses = claim.clauses();
  return clauses
    .filter((clause) => {
      if (clause.terms.size < FEWEST_TERMS && clauses.length > 1) return false;
      const same = piece
        .clauses()
        .map((other) => ({ other, share: likeness(clause, other, weigh) }))
        .toSorted((a, b) => b.share - a.share)[0];
      return same !== undefined && same.share >= SAME_STATEMENT && same.other.isNegated !== clause.isNegated;
    })
    .map(({ text }) => text);
}

/** How much of one clause the other one says: a claim may join two clauses of the passage in one, or cut one short. */
function likeness(clause: Clause, other: Clause, weigh: Weigh): number {
  const said = coverage(clause.terms, other.terms, weigh);
  return other.terms.size < FEWEST_TERMS ? said : Math.max(said, coverage(other.terms, clause.terms, weigh));
}
