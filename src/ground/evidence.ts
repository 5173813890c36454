import type { Source } from '../frames.js';
import { detectLanguage } from '../language.js';
import type { Analyzer } from '../retrieve/analyzer.js';
import { splitSentences } from '../sentences.js';
import type { Language } from '../types.js';
import { compareQuantity, type Quantity, readQuantities, separateQuantities } from './quantities.js';

/** How texts become comparable terms. */
export type TermAnalyzer = Pick<Analyzer, 'analyze' | 'analyzeQuestion'>;

const NO_LEXICON = { dictionary: [], synonyms: [] };
/** A quote shows where to look; the passage is there to read on. */
const LONGEST_QUOTE = 400;

/** Compared by themselves: a "not" is no subject. */
const NEGATIONS = new Set(
  'no not never none nor neither without cannot 不 没 没有 无 未 别 勿 不能 不会 不是 不可 不要'.split(' '),
);

/** What an answer says in one place, taken apart for comparison. */
export interface Claim {
  text: string;
  language: Language;
  /** Terms of its words, without negation; numbers and their units are among the quantities. */
  terms: ReadonlySet<string>;
  quantities: readonly Quantity[];
}

export function readClaim(text: string, analyzer: TermAnalyzer): Claim {
  const { quantities, words } = separateQuantities(text);
  return {
    text,
    language: detectLanguage(text),
    terms: new Set(analyzer.analyzeQuestion(words, NO_LEXICON).filter((term) => !NEGATIONS.has(term))),
    quantities,
  };
}

/** A stretch of a passage that can be quoted. */
interface Piece {
  text: string;
  terms: ReadonlySet<string>;
  quantities: readonly Quantity[];
}

/** A source, taken apart for comparison: once per answer, and only when something cites it. */
export interface Evidence {
  language: Language;
  /** Title, headings and text: all that the model was shown. */
  wholeText: string;
  terms: ReadonlySet<string>;
  quantities: readonly Quantity[];
  /** Sentences of the passage's text, in order; `text` is an exact substring of it. */
  pieces: readonly Piece[];
}

export function readEvidence({ title, headings, text }: Source, analyzer: TermAnalyzer): Evidence {
  const wholeText = [title, ...headings, text].join('\n');
  return {
    language: detectLanguage(text),
    wholeText,
    terms: new Set(analyzer.analyze(wholeText, NO_LEXICON)),
    quantities: readQuantities(wholeText),
    pieces: splitSentences(text).map((sentence) => ({
      text: sentence.text,
      terms: new Set(analyzer.analyze(sentence.text, NO_LEXICON)),
      quantities: readQuantities(sentence.text),
    })),
  };
}

/** The share of the claim's terms, by weight, that are among the given ones; 1 where the claim has none. */
export function coverage(claim: Claim, terms: ReadonlySet<string>, weigh: (term: string) => number): number {
  let covered = 0;
  let total = 0;
  for (const term of claim.terms) {
    const weight = weigh(term);
    total += weight;
    if (terms.has(term)) covered += weight;
  }
  return total === 0 ? 1 : covered / total;
}

/** The piece of the passage that says most of what the claim says; the first one where none says any of it. */
export function bestPiece(
  claim: Claim,
  evidence: Evidence,
  weigh: (term: string) => number,
): Piece | undefined {
  let best: { piece: Piece; score: number } | undefined;
  for (const piece of evidence.pieces) {
    const numbers = claim.quantities.filter(
      (quantity) => compareQuantity(quantity, piece.quantities) === 'same',
    ).length;
    // Of two that say as much, the shorter one says it more to the point.
    const score = (coverage(claim, piece.terms, weigh) + 0.3 * numbers) / (1 + piece.terms.size / 200);
    if (best === undefined || score > best.score) best = { piece, score };
  }
  return best?.piece;
}

/** The exact words of the passage that stand behind the claim. */
export function quote(claim: Claim, evidence: Evidence, weigh: (term: string) => number): string {
  const piece = bestPiece(claim, evidence, weigh);
  return (piece?.text ?? '').slice(0, LONGEST_QUOTE);
}

/** Rare among the sources is telling: ln(1 + (sources + 1) / sources with the term). */
export function weighByRarity(evidence: readonly Evidence[]): (term: string) => number {
  return (term) => {
    const having = evidence.filter(({ terms }) => terms.has(term)).length;
    return Math.log(1 + (evidence.length + 1) / Math.max(having, 1));
  };
}
