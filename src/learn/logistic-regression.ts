/** One case: what was measured, and whether it turned out true. */
export interface LabelledCase {
  /** As many numbers in every case. */
  features: readonly number[];
  label: boolean;
}

/** Probability = sigmoid(intercept + Σ weight × feature). */
export interface LogisticModel {
  intercept: number;
  weights: number[];
}

const MAX_STEPS = 50;

/**
 * Fits a logistic regression by Newton's method (iteratively reweighted least squares), with a ridge penalty on the
 * weights so that separable cases stay finite. Both labels count alike, however many cases each has: the share of
 * unanswerable questions among the cases says nothing about the share among users.
 *
 * @param ridge penalty on half the square of each weight, per case
 * @throws RangeError unless there are cases of both labels
 */
export function fitLogisticRegression(cases: readonly LabelledCase[], ridge = 1e-3): LogisticModel {
  const positives = cases.filter(({ label }) => label).length;
  if (positives === 0 || positives === cases.length) throw new RangeError('needs cases of both labels');
  const size = (cases[0]?.features.length ?? 0) + 1;
  const weightOf = (label: boolean): number => 0.5 / (label ? positives : cases.length - positives);
  let current = new Array<number>(size).fill(0);
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const gradient = current.map((value, at) => (at === 0 ? 0 : -ridge * value));
    const curvature = current.map((_, row) =>
      current.map((__, column) => (row === column ? (row === 0 ? 1e-9 : ridge) : 0)),
    );
    for (const { features, label } of cases) {
      const inputs = [1, ...features];
      const probability = 1 / (1 + Math.exp(-dot(current, inputs)));
      const error = weightOf(label) * ((label ? 1 : 0) - probability);
      const spread = weightOf(label) * probability * (1 - probability);
      inputs.forEach((input, row) => {
        gradient[row] = (gradient[row] as number) + error * input;
        const line = curvature[row] as number[];
        inputs.forEach((other, column) => {
          line[column] = (line[column] as number) + spread * input * other;
        });
      });
    }
    const change = solve(curvature, gradient);
    current = current.map((value, at) => value + (change[at] as number));
    if (Math.max(...change.map(Math.abs)) < 1e-8) break;
  }
  const [intercept = 0, ...weights] = current;
  return { intercept, weights };
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
}

/** Solves a small symmetric positive definite system by Gaussian elimination; no pivoting is needed for one. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, at) => [...row, right[at] as number]);
  rows.forEach((pivot, at) => {
    for (const row of rows.slice(at + 1)) {
      const factor = (row[at] as number) / (pivot[at] as number);
      for (let column = at; column < row.length; column += 1) {
        row[column] = (row[column] as number) - factor * (pivot[column] as number);
      }
    }
  });
  const solution = new Array<number>(right.length).fill(0);
  for (let at = rows.length - 1; at >= 0; at -= 1) {
    const row = rows[at] as number[];
    const known = solution.reduce((sum, value, column) => sum + value * (row[column] as number), 0);
    solution[at] = ((row[right.length] as number) - known) / (row[at] as number);
  }
  return solution;
}
