import { sigmoid } from '../inference/sigmoid.js';

/** One judged pair: what the reranker said, and whether the passage answers the question. */
export interface LabelledScore {
  logit: number;
  relevant: boolean;
}

/** Probability of relevance = sigmoid(scale * logit + shift). */
export interface PlattScaling {
  scale: number;
  shift: number;
}

/**
 * Fits a sigmoid to judged scores by maximum likelihood with Platt's smoothed targets (Platt 1999; Newton's method
 * as in Lin, Lin and Weng 2007).
 *
 * @throws RangeError unless there are relevant and irrelevant pairs
 */
export function fitPlattScaling(pairs: readonly LabelledScore[]): PlattScaling {
  const positives = pairs.filter(({ relevant }) => relevant).length;
  const negatives = pairs.length - positives;
  if (positives === 0 || negatives === 0) throw new RangeError('needs relevant and irrelevant pairs');
  const high = (positives + 1) / (positives + 2);
  const low = 1 / (negatives + 2);
  const loss = ({ scale, shift }: PlattScaling): number =>
    pairs.reduce((sum, { logit, relevant }) => {
      const z = scale * logit + shift;
      const target = relevant ? high : low;
      return sum + softplus(z) - target * z;
    }, 0);

  let current: PlattScaling = { scale: 1, shift: 0 };
  for (let iteration = 0; iteration < 100; iteration += 1) {
    const step = newtonStep(pairs, current, { high, low });
    if (Math.abs(step.scale) + Math.abs(step.shift) < 1e-9) break;
    const before = loss(current);
    let factor = 1;
    let next = current;
    do {
      next = { scale: current.scale + factor * step.scale, shift: current.shift + factor * step.shift };
      factor /= 2;
    } while (loss(next) > before && factor > 1e-10);
    current = next;
  }
  return current;
}

function newtonStep(
  pairs: readonly LabelledScore[],
  { scale, shift }: PlattScaling,
  { high, low }: { high: number; low: number },
): PlattScaling {
  let gradientScale = 0;
  let gradientShift = 0;
  let scaleScale = 1e-12;
  let scaleShift = 0;
  let shiftShift = 1e-12;
  for (const { logit, relevant } of pairs) {
    const probability = sigmoid(scale * logit + shift);
    const error = probability - (relevant ? high : low);
    const weight = probability * (1 - probability);
    gradientScale += error * logit;
    gradientShift += error;
    scaleScale += weight * logit * logit;
    scaleShift += weight * logit;
    shiftShift += weight;
  }
  const determinant = scaleScale * shiftShift - scaleShift * scaleShift;
  return {
    scale: -(shiftShift * gradientScale - scaleShift * gradientShift) / determinant,
    shift: -(scaleScale * gradientShift - scaleShift * gradientScale) / determinant,
  };
}

function softplus(z: number): number {
  return Math.max(0, z) + Math.log1p(Math.exp(-Math.abs(z)));
}

/**
 * Expected calibration error over equal-width bins (Guo et al. 2017): how far, on average, a stated probability is
 * from the share of pairs that really are relevant. 0 is perfect, 1 the worst.
 */
export function expectedCalibrationError(
  pairs: readonly { probability: number; relevant: boolean }[],
  bins = 10,
): number {
  const counts = new Float64Array(bins);
  const stated = new Float64Array(bins);
  const actual = new Float64Array(bins);
  for (const { probability, relevant } of pairs) {
    const bin = Math.min(bins - 1, Math.floor(probability * bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
    stated[bin] = (stated[bin] ?? 0) + probability;
    actual[bin] = (actual[bin] ?? 0) + (relevant ? 1 : 0);
  }
  const gaps = stated.map((sum, bin) => Math.abs(sum - (actual[bin] ?? 0)));
  return gaps.reduce((sum, gap) => sum + gap, 0) / Math.max(1, pairs.length);
}

export interface Cut {
  /** On the probability: pairs at or above it are answered. */
  threshold: number;
  /** Share of the answered pairs that are relevant. */
  precision: number;
  /** Share of all pairs that are answered. */
  coverage: number;
}

/** The lowest cut that reaches the precision, so that as much as possible is answered; undefined where none does. */
export function cutForPrecision(
  pairs: readonly { probability: number; relevant: boolean }[],
  precision: number,
): Cut | undefined {
  return cuts(pairs).findLast((cut) => cut.precision >= precision);
}

/** The cut that leaves about this share of the pairs unanswered; undefined for no pairs. */
export function cutForAbstention(
  pairs: readonly { probability: number; relevant: boolean }[],
  abstention: number,
): Cut | undefined {
  return cuts(pairs).find((cut) => cut.coverage >= 1 - abstention);
}

/** Every cut between distinct probabilities, from the highest down. */
function cuts(pairs: readonly { probability: number; relevant: boolean }[]): Cut[] {
  const sorted = [...pairs].sort((a, b) => b.probability - a.probability);
  const found: Cut[] = [];
  let relevant = 0;
  sorted.forEach((pair, index) => {
    if (pair.relevant) relevant += 1;
    if (sorted[index + 1]?.probability === pair.probability) return;
    const answered = index + 1;
    found.push({
      threshold: pair.probability,
      precision: relevant / answered,
      coverage: answered / sorted.length,
    });
  });
  return found;
}
