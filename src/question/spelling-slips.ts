import { stemmer } from 'stemmer';
import { isEnglishWord } from './english-words.js';
import type { Vocabulary } from './vocabulary.js';

/** Shorter words have too many neighbours. */
const SHORTEST = 5;
/** From this length on two slips in one word are allowed. */
const LONG = 8;
/** A word of its own: no part of a code, an address, a name with digits or a contraction. */
const WORD = /(?<![\p{L}\p{N}@._/-])[a-z]+(?![\p{L}\p{N}@_/-]|\.\p{L}|['’](?!s)\p{L})/giu;

/**
 * Puts English slips right that can only mean a word of the knowledge base: a letter too many, too few, wrong or
 * swapped with its neighbour, two in a long word. A word that the knowledge base or English knows is never touched, nor
 * one in capitals, and the first letter stays.
 */
export function correctSpelling(text: string, { words }: Pick<Vocabulary, 'words'>): string {
  return text.replaceAll(WORD, (written) => {
    const word = written.toLowerCase();
    const isShouted = written.slice(1) !== word.slice(1);
    if (word.length < SHORTEST || isShouted || isKnown(word, words)) return written;
    const meant = findNearest(word, words);
    if (meant === undefined) return written;
    return written[0] === word[0] ? meant : `${meant.charAt(0).toUpperCase()}${meant.slice(1)}`;
  });
}

function isKnown(word: string, words: Vocabulary['words']): boolean {
  if (words.has(word) || isEnglishWord(word)) return true;
  const stem = stemmer(word);
  return words.has(stem) || isEnglishWord(stem);
}

function findNearest(word: string, words: Vocabulary['words']): string | undefined {
  const allowed = word.length >= LONG ? 2 : 1;
  let best: { word: string; steps: number; count: number } | undefined;
  for (const [candidate, count] of words) {
    if (candidate[0] !== word[0] || Math.abs(candidate.length - word.length) > allowed) continue;
    const steps = countSlips(word, candidate);
    if (steps > allowed) continue;
    if (best === undefined || steps < best.steps || (steps === best.steps && count > best.count)) {
      best = { word: candidate, steps, count };
    }
  }
  return best?.word;
}

/** Letters added, lost, changed or swapped with a neighbour: the optimal string alignment distance. */
function countSlips(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const changed = (last[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        changed,
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        isSwap ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
