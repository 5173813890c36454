import { sigmoid } from '../inference/sigmoid.js';
import { passageSearchText } from '../passage-text.js';
import { inverseDocumentFrequency } from '../retrieve/lexical-weights.js';
import type { Candidate } from '../types.js';
import { byLogit } from './select-passages.js';

/** What is known of a question before anything is answered. */
export const ANSWERABILITY_SIGNALS = [
  'logit',
  'lead',
  'cosine',
  'cosineLead',
  'coverage',
  'lexical',
  'lexicalPerTerm',
  'identifiers',
] as const;
export type AnswerabilitySignal = (typeof ANSWERABILITY_SIGNALS)[number];
export type AnswerabilitySignals = Record<AnswerabilitySignal, number>;

/** A logistic model over the signals, fitted by `askbase calibrate`: it belongs to one reranker. */
export interface AnswerabilityModel {
  intercept: number;
  weights: AnswerabilitySignals;
  /** Questions below this probability get no answer. */
  threshold: number;
}

/** How likely it is that the knowledge base answers the question at all. */
export interface Answerability {
  /** 0 to 1. */
  probability: number;
  threshold: number;
  signals: AnswerabilitySignals;
}

/** The signals look at so many of the best candidates. */
const LOOKED_AT = 20;
const COVERING = 3;
const BEHIND = 10;
/** A letter first: 30min and 19th are amounts. */
const IDENTIFIER = /^\p{L}.*\p{N}/u;

/**
 * Signals of a reranked question; null without candidates. `lead` and `cosineLead` say how far the best stands out: an
 * answer does, while passages that merely share a subject come in crowds. `coverage` is the greatest share of the
 * question's terms, weighed by how rare they are among the candidates, that one of the first three passages holds.
 * `lexical` is the best BM25 score: how much of what is rare in the whole index one passage shares with the question.
 * `identifiers` adds up how rare the codes and model names of the question are among the candidates (E07, ISO-9001): for
 * those that a passage holds, against those that none does. A reranker reads E07 and E99 alike.
 */
export function readSignals(
  terms: readonly string[],
  candidates: readonly Candidate[],
  analyze: (text: string) => string[],
): AnswerabilitySignals | null {
  // Not in the order that they are handed on in: whether there is an answer does not hang on the weight of words.
  const best = [...candidates].sort(byLogit).slice(0, LOOKED_AT);
  const [first, second] = best.map(({ scores }) => scores.rerank?.logit);
  if (first === undefined) return null;
  const lexical = Math.max(0, ...candidates.map(({ scores }) => scores.lexical?.score ?? 0));
  const cosines = candidates.map(({ scores }) => scores.dense?.score ?? 0).sort((a, b) => b - a);
  const [cosine = 0, ...behind] = cosines.slice(0, BEHIND);
  return {
    logit: first,
    lead: second === undefined ? 0 : first - second,
    cosine,
    cosineLead: cosine - mean(behind, cosine),
    coverage: coverageOf(
      terms,
      best.map(({ passage }) => new Set(analyze(passageSearchText(passage)))),
    ),
    lexical,
    lexicalPerTerm: lexical / Math.max(1, terms.length),
    identifiers: weighIdentifiers(
      terms.filter((term) => IDENTIFIER.test(term)),
      candidates,
    ),
  };
}

function coverageOf(terms: readonly string[], passages: readonly ReadonlySet<string>[]): number {
  const weights = terms.map((term) =>
    inverseDocumentFrequency(passages.length, passages.filter((passage) => passage.has(term)).length),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const covered = passages
    .slice(0, COVERING)
    .map((passage) =>
      terms.reduce((sum, term, at) => sum + (passage.has(term) ? (weights[at] as number) : 0), 0),
    );
  return total === 0 ? 0 : Math.max(0, ...covered) / total;
}

function weighIdentifiers(identifiers: readonly string[], candidates: readonly Candidate[]): number {
  if (identifiers.length === 0) return 0;
  const passages = candidates.map(({ passage }) => passageSearchText(passage).normalize('NFKC'));
  return identifiers.reduce((sum, identifier) => {
    const spelling = spellingsOf(identifier);
    const holders = passages.filter((passage) => spelling.test(passage)).length;
    const rarity = inverseDocumentFrequency(passages.length, holders);
    return holders === 0 ? sum - rarity : sum + rarity;
  }, 0);
}

/** However it is cut: iso9001 is ISO 9001 and ISO-9001, but not ISO 90012. */
function spellingsOf(identifier: string): RegExp {
  const runs = identifier.match(/\p{N}+|\p{L}+/gu) ?? [];
  const edge = '[\\p{Script=Latin}\\p{N}]';
  return new RegExp(`(?<!${edge})${runs.join('[^\\p{L}\\p{N}]?')}(?!${edge})`, 'iu');
}

function mean(values: readonly number[], ifNone: number): number {
  return values.length === 0 ? ifNone : values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function judgeAnswerability(
  { intercept, weights, threshold }: AnswerabilityModel,
  signals: AnswerabilitySignals,
): Answerability {
  const logit = ANSWERABILITY_SIGNALS.reduce((sum, name) => sum + weights[name] * signals[name], intercept);
  return { probability: sigmoid(logit), threshold, signals };
}
