import { expect, test } from 'vitest';
import type { BranchHit } from '../../src/retrieve/passage-index.js';
import { fuseByReciprocalRank } from '../../src/retrieve/reciprocal-rank-fusion.js';
import { passageOf } from '../support/passages.js';

const hits = (ids: string[]): BranchHit[] =>
  ids.map((id, index) => ({ passage: { ...passageOf('shop'), id }, score: 10 - index, rank: index + 1 }));

test('puts what both branches found before what one found, and keeps rank and score of each', () => {
  const [first, second, third] = fuseByReciprocalRank(
    [{ lexical: hits(['a', 'b']), dense: hits(['c', 'b']) }],
    10,
  );
  expect(first?.passage.id).toBe('b');
  expect(first?.scores).toEqual({
    lexical: { score: 9, rank: 2 },
    dense: { score: 9, rank: 2 },
    fused: { score: 2 / 62, rank: 1 },
  });
  expect(second?.passage.id).toBe('a');
  expect(second?.scores).toEqual({ lexical: { score: 10, rank: 1 }, fused: { score: 1 / 61, rank: 2 } });
  expect(third?.scores.lexical).toBeUndefined();
});

test('orders ties by passage id whichever branch found them', () => {
  const ids = (lexical: string[], dense: string[]): string[] =>
    fuseByReciprocalRank([{ lexical: hits(lexical), dense: hits(dense) }], 10).map(
      ({ passage }) => passage.id,
    );
  expect(ids(['b'], ['a'])).toEqual(['a', 'b']);
  expect(ids(['a'], ['b'])).toEqual(['a', 'b']);
});

test('counts a passage once per branch', () => {
  const [only] = fuseByReciprocalRank([{ lexical: hits(['a', 'a']), dense: [] }], 10);
  expect(only?.scores.fused.score).toBe(1 / 61);
});

test('fuses searches in two languages: each counts, and the better rank stays', () => {
  const own = { lexical: hits([]), dense: hits(['a', 'b']) };
  const translated = { lexical: hits(['c', 'b']), dense: hits(['b', 'c']) };
  const [first, second] = fuseByReciprocalRank([own, translated], 10);
  expect(first?.passage.id).toBe('b');
  expect(first?.scores).toEqual({
    lexical: { score: 9, rank: 2 },
    dense: { score: 10, rank: 1 },
    fused: { score: expect.closeTo(2 / 62 + 1 / 61, 12), rank: 1 },
  });
  expect(second?.passage.id).toBe('c');
});

test('gives no more than asked for, and nothing for nothing', () => {
  expect(fuseByReciprocalRank([{ lexical: hits(['a', 'b', 'c']), dense: [] }], 2)).toHaveLength(2);
  expect(fuseByReciprocalRank([{ lexical: [], dense: [] }], 2)).toEqual([]);
});
