import { describe, expect, test } from 'vitest';
import { selectPassages } from '../../src/rerank/select-passages.js';
import type { Candidate, Passage } from '../../src/types.js';
import { passageOf } from '../support/passages.js';

/** A candidate with that place in fused order and, where given, that logit. */
function candidateOf(fusedRank: number, logit: number | null, passage: Partial<Passage> = {}): Candidate {
  const text =
    passage.text ?? `Passage ${fusedRank} speaks of subject ${'abcdefghij'[fusedRank % 10]?.repeat(12)}.`;
  const rerank =
    logit === null
      ? {}
      : {
          rerank: {
            logit,
            sigmoid: 1 / (1 + Math.exp(-logit)),
            windows: 1,
            truncated: false,
            order: logit,
            rank: 1,
          },
        };
  return {
    passage: passageOf('shop', { documentId: `en/${fusedRank}.md`, text, ...passage }),
    scores: { fused: { score: 1 / fusedRank, rank: fusedRank }, ...rerank },
  };
}

const decisions = (candidates: Candidate[], threshold: number | null = 0.5): [number, string][] =>
  selectPassages(candidates, { threshold }).map(({ scores, decision }) => [scores.fused.rank, decision]);

describe('passages are selected', () => {
  test('by the logit of the reranker, also where the sigmoid rounds to 1', () => {
    expect(decisions([candidateOf(1, 40), candidateOf(2, 41), candidateOf(3, 0.1)])).toEqual([
      [2, 'kept'],
      [1, 'kept'],
      [3, 'kept'],
    ]);
  });

  test('above the threshold only, the threshold itself included', () => {
    expect(decisions([candidateOf(1, 0), candidateOf(2, -0.01)])).toEqual([
      [1, 'kept'],
      [2, 'below-threshold'],
    ]);
  });

  test('in fused order and without a cut where no reranker ran', () => {
    expect(decisions([candidateOf(2, null), candidateOf(1, null)], null)).toEqual([
      [1, 'kept'],
      [2, 'kept'],
    ]);
  });

  test('once, where two say the same but for spaces, signs and case', () => {
    const text = 'You may return anything within 30 days of delivery, unused and in its box.';
    expect(
      decisions([
        candidateOf(1, 3, { text }),
        candidateOf(2, 2, { text: text.toUpperCase().replaceAll(' ', '  ') }),
        candidateOf(3, 1, { text: `${text} Thanks!` }),
        candidateOf(4, 0, { text: 'You may not return gift cards, downloads and opened hygiene articles.' }),
      ]),
    ).toEqual([
      [1, 'kept'],
      [2, 'duplicate'],
      [3, 'duplicate'],
      [4, 'kept'],
    ]);
  });

  test('from several documents: the fourth of one document gives way', () => {
    const same = { documentId: 'en/same.md' };
    const ofOne = [1, 2, 3, 4].map((rank) => candidateOf(rank, 5 - rank, same));
    expect(decisions([...ofOne, candidateOf(5, 0.5)])).toEqual([
      [1, 'kept'],
      [2, 'kept'],
      [3, 'kept'],
      [4, 'diversity'],
      [5, 'kept'],
    ]);
  });

  test('six at most', () => {
    const all = Array.from({ length: 9 }, (_, index) => candidateOf(index + 1, 9 - index));
    expect(decisions(all).map(([, decision]) => decision)).toEqual([
      ...new Array(6).fill('kept'),
      ...new Array(3).fill('limit'),
    ]);
  });

  test('within the token budget, but the best one always, and a smaller one may still fit', () => {
    expect(
      decisions([
        candidateOf(1, 4, { tokens: 2900 }),
        candidateOf(2, 3, { tokens: 200 }),
        candidateOf(3, 2, { tokens: 100 }),
      ]),
    ).toEqual([
      [1, 'kept'],
      [2, 'budget'],
      [3, 'kept'],
    ]);
    expect(decisions([candidateOf(1, 4, { tokens: 9000 })])).toEqual([[1, 'kept']]);
  });

  test('and nothing is lost or made up', () => {
    expect(decisions([])).toEqual([]);
    const all = Array.from({ length: 50 }, (_, index) => candidateOf(index + 1, Math.sin(index)));
    expect(new Set(decisions(all).map(([rank]) => rank)).size).toBe(50);
  });
});
