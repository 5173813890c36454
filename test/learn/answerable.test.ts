import { describe, expect, it } from 'vitest';
import { areaUnderRoc } from '../../src/learn/auroc.js';
import { fitLogisticRegression } from '../../src/learn/logistic-regression.js';

describe('areaUnderRoc', () => {
  it('is the share of pairs in the right order, ties counting half', () => {
    expect(areaUnderRoc([3, 2], [1, 0])).toBe(1);
    expect(areaUnderRoc([0, 1], [2, 3])).toBe(0);
    expect(areaUnderRoc([2, 1, 1], [1, 0])).toBeCloseTo((2 + 1.5 + 1.5) / 6, 12);
    expect(areaUnderRoc([], [1])).toBeNaN();
  });
});

describe('fitLogisticRegression', () => {
  it('finds the weights that made the labels, and nothing in noise', () => {
    const cases = Array.from({ length: 4000 }, (_, index) => {
      const a = (index % 40) / 10 - 2;
      const noise = Math.floor(index / 40) % 2;
      const share = ((index * 7919) % 1000) / 1000;
      return { features: [a, noise], label: share < 1 / (1 + Math.exp(-1.5 * a)) };
    });
    const { intercept, weights } = fitLogisticRegression(cases, 1e-6);
    expect(weights[0]).toBeCloseTo(1.5, 0);
    expect(Math.abs(weights[1] ?? 9)).toBeLessThan(0.3);
    expect(Math.abs(intercept)).toBeLessThan(0.3);
  });

  it('counts both labels alike, stays finite where they are apart, and refuses a single one', () => {
    const apart = [0, 0, 0, 0, 0, 1].map((value) => ({ features: [value], label: value === 1 }));
    const { intercept, weights } = fitLogisticRegression(apart);
    expect(intercept + (weights[0] ?? 0) / 2).toBeCloseTo(0, 1);
    expect(Number.isFinite(weights[0])).toBe(true);
    expect(() => fitLogisticRegression(apart.slice(0, 3))).toThrow(RangeError);
  });
});
