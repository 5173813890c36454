/**
 * Area under the receiver operating characteristic: the chance that a positive case scores above a negative one, ties
 * counting half (Hanley and McNeil 1982). 0.5 is chance; NaN where one side is empty.
 */
export function areaUnderRoc(positives: readonly number[], negatives: readonly number[]): number {
  const cases = [
    ...positives.map((score) => ({ score, isPositive: true })),
    ...negatives.map((score) => ({ score, isPositive: false })),
  ].sort((a, b) => a.score - b.score);
  let wins = 0;
  let negativesBelow = 0;
  for (let start = 0; start < cases.length; ) {
    let end = start;
    let equalPositives = 0;
    while (end < cases.length && cases[end]?.score === cases[start]?.score) {
      if (cases[end]?.isPositive) equalPositives += 1;
      end += 1;
    }
    const equalNegatives = end - start - equalPositives;
    wins += equalPositives * (negativesBelow + equalNegatives / 2);
    negativesBelow += equalNegatives;
    start = end;
  }
  return wins / (positives.length * negatives.length);
}
