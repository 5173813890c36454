import { seededRandom } from './seeded-random.js';

export interface Estimate {
  mean: number;
  /** 95 % percentile bootstrap interval of the mean. */
  low: number;
  high: number;
}

/**
 * Mean of per-query values with a percentile bootstrap interval (Efron 1979). Seeded: the same values always give
 * the same interval.
 */
export function bootstrapMean(values: readonly number[], { resamples = 1000, seed = 1 } = {}): Estimate {
  const mean = average(values);
  if (values.length < 2) return { mean, low: mean, high: mean };
  const random = seededRandom(seed);
  const means = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample += 1) {
    let sum = 0;
    for (let draw = 0; draw < values.length; draw += 1) {
      sum += values[Math.floor(random() * values.length)] ?? 0;
    }
    means[resample] = sum / values.length;
  }
  means.sort();
  const at = (quantile: number): number => means[Math.round(quantile * (resamples - 1))] ?? mean;
  return { mean, low: at(0.025), high: at(0.975) };
}

function average(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
