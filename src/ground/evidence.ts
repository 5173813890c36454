import type { Source } from '../frames.js';
import { detectLanguage } from '../language.js';
import type { Analyzer } from '../retrieve/analyzer.js';
import { splitSentences } from '../sentences.js';
import type { Language } from '../types.js';
import { type Clause, readClauses, withoutNegation } from './negation.js';
import { compareQuantity, type Quantity, readQuantities, separateQuantities } from './quantities.js';
import { readWords, type Word } from './words.js';

/** How texts become comparable terms. */
export type TermAnalyzer = Pick<Analyzer, 'analyze' | 'analyzeQuestion'>;

/** How telling it is that two texts share a term; greater than 0. */
export type Weigh = (term: string) => number;

const NO_LEXICON = { dictionary: [], synonyms: [] };
/** A quote shows where to look; the passage is there to read on. */
const LONGEST_QUOTE = 400;
/** What a number in common adds, beside the terms in common. */
const NUMBER_BONUS = 0.3;
/** Of two pieces that say as much, the shorter one says it more to the point. */
const LONG_PIECE_TERMS = 200;
const LATIN_WORD = /^[a-z]+$/;
/** What a word of the same root counts, beside the word itself. */
const SAME_ROOT = 0.8;
const SHORTEST_ROOT = 5;
const LONGEST_ENDING = 3;

/** What an answer says in one place, taken apart for comparison. */
export interface Claim {
  text: string;
  language: Language;
  /** Terms of its words, without negation; numbers and their units are among the quantities. */
  terms: ReadonlySet<string>;
  quantities: readonly Quantity[];
  /** Taken apart when asked for, as of a piece. */
  clauses(): readonly Clause[];
  words(): readonly Word[];
  /** A list item may have several. */
  sentences(): readonly Claim[];
  /** Clauses in order, each with its place in the text; none where they are too many for one sentence. */
  parts(): readonly ClaimPart[];
  slice(start: number, end: number): Claim;
}

export interface ClaimPart {
  start: number;
  end: number;
  claim: Claim;
}

/** A run-on of more clauses would take longer to take apart than an answer may wait. */
const MOST_PARTS = 24;
/** Not within a number or a time (1,000; 18:00). */
const PART_BREAK = /(?:[,;:](?!\d)|[，；：。！？()（）\n]|[.!?](?=\s)|\b(?:and|but|while|whereas)\b)+/gi;

export function readClaim(text: string, analyzer: TermAnalyzer): Claim {
  const { quantities, words } = separateQuantities(text);
  const language = detectLanguage(text);
  const slice = (start: number, end: number): Claim => readClaim(text.slice(start, end), analyzer);
  const claim: Claim = {
    text,
    language,
    terms: withoutNegation(analyzer.analyzeQuestion(words, NO_LEXICON)),
    quantities,
    clauses: once(() => readClauses(words, language, analyzer.analyzeQuestion)),
    words: once(() => readWords(text)),
    sentences: once(() => {
      const sentences = splitSentences(text);
      return sentences.length < 2 ? [claim] : sentences.map(({ start, end }) => slice(start, end));
    }),
    parts: once(() => {
      const parts = splitParts(text);
      if (parts.length > MOST_PARTS) return [];
      return parts.map(({ start, end }) => ({ start, end, claim: slice(start, end) }));
    }),
    slice,
  };
  return claim;
}

function splitParts(text: string): { start: number; end: number }[] {
  const ends = Array.from(text.matchAll(PART_BREAK), ({ index, 0: mark }) => index + mark.length);
  return [...ends, text.length]
    .map((end, place, all) => ({ start: all[place - 1] ?? 0, end }))
    .filter(({ start, end }) => /[\p{L}\p{N}]/u.test(text.slice(start, end)));
}

/** A stretch of a passage that can be quoted. */
export interface EvidencePiece {
  text: string;
  terms: ReadonlySet<string>;
  quantities: readonly Quantity[];
  /** Taken apart when asked for: most pieces are never compared so closely. */
  clauses(): readonly Clause[];
  words(): readonly Word[];
}

/** A source, taken apart for comparison: once per answer, and only when something is compared with it. */
export interface Evidence {
  language: Language;
  /** Title, headings and text: all that the model was shown. */
  wholeText: string;
  terms: ReadonlySet<string>;
  quantities: readonly Quantity[];
  /** Sentences of the passage's text, in order; `text` is an exact substring of it. */
  pieces: readonly EvidencePiece[];
}

export function readEvidence({ title, headings, text }: Source, analyzer: TermAnalyzer): Evidence {
  const wholeText = [title, ...headings, text].join('\n');
  const language = detectLanguage(text);
  return {
    language,
    wholeText,
    terms: new Set(analyzer.analyze(wholeText, NO_LEXICON)),
    quantities: readQuantities(wholeText),
    pieces: splitSentences(text).map((sentence) => ({
      text: sentence.text,
      terms: new Set(analyzer.analyze(sentence.text, NO_LEXICON)),
      quantities: readQuantities(sentence.text),
      clauses: once(() =>
        readClauses(separateQuantities(sentence.text).words, language, analyzer.analyzeQuestion),
      ),
      words: once(() => readWords(sentence.text)),
    })),
  };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/**
 * The share of the wanted terms, by weight, that are among the given ones; 1 where none is wanted. A word of the same
 * root (delivery, delivered) counts for most of one.
 */
export function coverage(wanted: ReadonlySet<string>, given: ReadonlySet<string>, weigh: Weigh): number {
  let covered = 0;
  let total = 0;
  for (const term of wanted) {
    const weight = weigh(term);
    total += weight;
    if (given.has(term)) covered += weight;
    else if (hasSameRoot(term, given)) covered += SAME_ROOT * weight;
  }
  return total === 0 ? 1 : covered / total;
}

/** Stems of English words, one of which is the other with a few letters more: deliv, deliveri. */
function hasSameRoot(term: string, given: ReadonlySet<string>): boolean {
  if (!LATIN_WORD.test(term)) return false;
  for (const other of given) {
    const [short, long] = other.length < term.length ? [other, term] : [term, other];
    if (short.length < SHORTEST_ROOT || long.length - short.length > LONGEST_ENDING) continue;
    if (long.startsWith(short) && LATIN_WORD.test(other)) return true;
  }
  return false;
}

/** The piece that says most of what the claim says; the first one where none says any of it. */
export function bestPiece(
  claim: Claim,
  pieces: readonly EvidencePiece[],
  weigh: Weigh,
): EvidencePiece | undefined {
  let best: { piece: EvidencePiece; score: number } | undefined;
  for (const piece of pieces) {
    const score = scorePiece(claim, piece, weigh);
    if (best === undefined || score > best.score) best = { piece, score };
  }
  return best?.piece;
}

/** What `scorePiece` never exceeds. */
export function highestScore({ quantities }: Claim): number {
  return 1 + NUMBER_BONUS * quantities.length;
}

/** Above 0; about 1 where the piece has the claim's words, and more where it has its numbers too. */
export function scorePiece(claim: Claim, piece: EvidencePiece, weigh: Weigh): number {
  const numbers = claim.quantities.filter((quantity) => agrees(quantity, piece)).length;
  const said = coverage(claim.terms, piece.terms, weigh) + NUMBER_BONUS * numbers;
  return said / (1 + piece.terms.size / LONG_PIECE_TERMS);
}

export function agrees(quantity: Quantity, { quantities }: Pick<EvidencePiece, 'quantities'>): boolean {
  return compareQuantity(quantity, quantities) === 'same';
}

/** The exact words of the passage that stand behind the claim. */
export function quote(claim: Claim, evidence: Evidence, weigh: Weigh): string {
  return (bestPiece(claim, evidence.pieces, weigh)?.text ?? '').slice(0, LONGEST_QUOTE);
}

/** Rare among the sources is telling: ln(1 + (sources + 1) / sources with the term). */
export function weighByRarity(evidence: readonly Evidence[]): Weigh {
  const weights = new Map<string, number>();
  return (term) => {
    const known = weights.get(term);
    if (known !== undefined) return known;
    const having = evidence.filter(({ terms }) => terms.has(term)).length;
    const weight = Math.log(1 + (evidence.length + 1) / Math.max(having, 1));
    weights.set(term, weight);
    return weight;
  };
}
