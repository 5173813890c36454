import { describe, expect, it } from 'vitest';
import { sigmoid } from '../../src/inference/sigmoid.js';
import {
  cutForAbstention,
  cutForPrecision,
  expectedCalibrationError,
  fitPlattScaling,
  type LabelledScore,
} from '../../src/learn/calibration.js';

/** Pairs whose true probability is sigmoid(scale * logit + shift), as shares rather than draws. */
function pairsOf(scale: number, shift: number): LabelledScore[] {
  return Array.from({ length: 81 }, (_, index) => (index - 40) / 8).flatMap((logit) => {
    const relevant = Math.round(sigmoid(scale * logit + shift) * 50);
    return Array.from({ length: 50 }, (_, index) => ({ logit, relevant: index < relevant }));
  });
}

describe('fitPlattScaling', () => {
  it('finds the scale and shift that made the labels', () => {
    const { scale, shift } = fitPlattScaling(pairsOf(0.6, -1.5));
    expect(scale).toBeCloseTo(0.6, 1);
    expect(shift).toBeCloseTo(-1.5, 1);
  });

  it('lowers the calibration error of an overconfident reranker', () => {
    const pairs = pairsOf(0.5, -2);
    const { scale, shift } = fitPlattScaling(pairs);
    const error = (toProbability: (logit: number) => number): number =>
      expectedCalibrationError(
        pairs.map(({ logit, relevant }) => ({ probability: toProbability(logit), relevant })),
      );
    expect(error(sigmoid)).toBeGreaterThan(0.15);
    expect(error((logit) => sigmoid(scale * logit + shift))).toBeLessThan(0.02);
  });

  it('stays finite where the classes do not overlap, and refuses a single class', () => {
    const apart = [-3, -2, 2, 3].map((logit) => ({ logit, relevant: logit > 0 }));
    const { scale, shift } = fitPlattScaling(apart);
    expect(Number.isFinite(scale) && Number.isFinite(shift) && scale > 0).toBe(true);
    expect(() => fitPlattScaling(apart.filter(({ relevant }) => relevant))).toThrow(RangeError);
  });
});

describe('expectedCalibrationError', () => {
  it('is the mean gap between stated and actual share', () => {
    const pairs = [0.95, 0.95, 0.15, 0.15].map((probability, index) => ({
      probability,
      relevant: index === 0,
    }));
    expect(expectedCalibrationError(pairs)).toBeCloseTo((2 * 0.45 + 2 * 0.15) / 4, 12);
  });
});

describe('the cut', () => {
  const pairs = [
    { probability: 0.9, relevant: true },
    { probability: 0.8, relevant: true },
    { probability: 0.7, relevant: false },
    { probability: 0.6, relevant: true },
    { probability: 0.2, relevant: false },
  ];

  it('is the lowest that reaches the wanted precision', () => {
    expect(cutForPrecision(pairs, 0.75)).toEqual({ threshold: 0.6, precision: 0.75, coverage: 0.8 });
    expect(cutForPrecision(pairs, 1)).toEqual({ threshold: 0.8, precision: 1, coverage: 0.4 });
    expect(cutForPrecision([{ probability: 0.9, relevant: false }], 0.5)).toBeUndefined();
  });

  it('leaves the wanted share unanswered', () => {
    expect(cutForAbstention(pairs, 0.4)?.threshold).toBe(0.7);
    expect(cutForAbstention([], 0.4)).toBeUndefined();
  });

  it('never separates equal scores', () => {
    const equal = [true, false, true].map((relevant) => ({ probability: 0.5, relevant }));
    expect(cutForPrecision(equal, 0.6)).toEqual({ threshold: 0.5, precision: 2 / 3, coverage: 1 });
  });
});
