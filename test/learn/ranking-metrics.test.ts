import { describe, expect, it } from 'vitest';
import { bootstrapMean } from '../../src/learn/bootstrap.js';
import { measureRanking } from '../../src/learn/ranking-metrics.js';

describe('measureRanking', () => {
  // Worked out by hand with trec_eval's definitions: relevant a (2), c (1), z (1, not retrieved);
  // ranking x a y c: DCG = 2/log2(3) + 1/log2(5), ideal = 2 + 1/log2(3) + 1/log2(4).
  const metrics = measureRanking(
    ['x', 'a', 'y', 'c'],
    new Map([
      ['a', 2],
      ['c', 1],
      ['z', 1],
      ['y', 0],
    ]),
  );

  it('gives the values of trec_eval on a hand-made case', () => {
    const dcg = 2 / Math.log2(3) + 1 / Math.log2(5);
    const ideal = 2 + 1 / Math.log2(3) + 1 / 2;
    expect(metrics['ndcg@10']).toBeCloseTo(dcg / ideal, 12);
    expect(metrics['ndcg@10']).toBeCloseTo(0.54059, 5);
    expect(metrics['mrr@10']).toBe(0.5);
    expect(metrics.map).toBeCloseTo((1 / 2 + 2 / 4) / 3, 12);
    expect(metrics['hit@1']).toBe(0);
    expect(metrics['recall@10']).toBeCloseTo(2 / 3, 12);
    expect(metrics['precision@10']).toBeCloseTo(0.2, 12);
    expect(metrics['f1@10']).toBeCloseTo((2 * 0.2 * (2 / 3)) / (0.2 + 2 / 3), 12);
  });

  it('cuts at the depth its name says', () => {
    const ranking = [...Array.from({ length: 10 }, (_, index) => `x${index}`), 'a'];
    const deep = measureRanking(ranking, new Map([['a', 1]]));
    expect(deep).toMatchObject({ 'ndcg@10': 0, 'mrr@10': 0, 'recall@10': 0, 'recall@50': 1 });
    expect(deep.map).toBeCloseTo(1 / 11, 12);
  });

  it('is 1 for the ideal order and 0 where nothing is relevant', () => {
    expect(
      measureRanking(
        ['a', 'b'],
        new Map([
          ['a', 3],
          ['b', 1],
        ]),
      )['ndcg@10'],
    ).toBe(1);
    expect(measureRanking(['a'], new Map([['a', 0]]))).toMatchObject({ 'ndcg@10': 0, map: 0, 'f1@10': 0 });
  });
});

describe('bootstrapMean', () => {
  const values = Array.from({ length: 400 }, (_, index) => (index % 4 === 0 ? 0 : 1));

  it('puts the mean inside an interval near the normal approximation', () => {
    const { mean, low, high } = bootstrapMean(values);
    const half = 1.96 * Math.sqrt((0.75 * 0.25) / values.length);
    expect(mean).toBe(0.75);
    expect(low).toBeGreaterThan(mean - 1.4 * half);
    expect(low).toBeLessThan(mean - 0.6 * half);
    expect(high).toBeLessThan(mean + 1.4 * half);
    expect(high).toBeGreaterThan(mean + 0.6 * half);
  });

  it('gives the same interval for the same values', () => {
    expect(bootstrapMean(values)).toEqual(bootstrapMean(values));
  });
});
