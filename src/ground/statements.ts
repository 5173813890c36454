import { STOP_WORDS } from '../retrieve/stop-words.js';
import {
  bestPiece,
  type Claim,
  type Evidence,
  type EvidencePiece,
  highestScore,
  scorePiece,
  type Weigh,
} from './evidence.js';

/** How much better another sentence of the passages must fit a clause for it to be what the clause says. */
const CLEARLY_ANOTHER = 0.3;
/** What has no words but a date belongs to what was said before where such a mark ends it, else to what comes: 2013年，… */
const CLOSED = /[;；.。!！?？)）][\s,，]*$/;

interface Run {
  start: number;
  end: number;
  piece: EvidencePiece;
}

/**
 * A claim taken apart into what says one sentence of the passages each: "within 30 days, and gold members have 45" says
 * two, and neither of them has both numbers. Sentences of a list item are always apart; clauses go with what the whole
 * sentence says unless another one fits them clearly better.
 */
export function readStatements(claim: Claim, evidence: readonly Evidence[], weigh: Weigh): Claim[] {
  const pieces = evidence
    .filter(({ language }) => language === claim.language)
    .flatMap((source) => source.pieces);
  return claim.sentences().flatMap((sentence) => cutByPiece(sentence, pieces, weigh));
}

function cutByPiece(sentence: Claim, pieces: readonly EvidencePiece[], weigh: Weigh): Claim[] {
  const clauses = sentence.parts();
  const whole = clauses.length < 2 ? undefined : bestPiece(sentence, pieces, weigh);
  if (whole === undefined) return [sentence];
  const runs: Run[] = [];
  let waiting: number | undefined;
  for (const { start, end, claim } of clauses) {
    const last = runs.at(-1);
    const hasWords = [...claim.terms].some((term) => !STOP_WORDS.has(term));
    const piece = hasWords ? pieceOf(claim, { pieces, whole, weigh }) : last?.piece;
    if (!hasWords && (last === undefined || !CLOSED.test(claim.text))) {
      waiting ??= start;
    } else if (piece !== undefined) {
      if (piece === last?.piece) last.end = end;
      else runs.push({ start: waiting ?? start, end, piece });
      waiting = undefined;
    }
  }
  const last = runs.at(-1);
  if (last !== undefined) last.end = sentence.text.length;
  return runs.length < 2 ? [sentence] : runs.map(({ start, end }) => sentence.slice(start, end));
}

interface Choice {
  pieces: readonly EvidencePiece[];
  whole: EvidencePiece;
  weigh: Weigh;
}

function pieceOf(clause: Claim, { pieces, whole, weigh }: Choice): EvidencePiece {
  const needed = scorePiece(clause, whole, weigh) + CLEARLY_ANOTHER;
  if (needed > highestScore(clause)) return whole;
  const best = bestPiece(clause, pieces, weigh) ?? whole;
  return scorePiece(clause, best, weigh) >= needed ? best : whole;
}
