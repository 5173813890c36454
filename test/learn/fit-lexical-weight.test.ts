import { expect, it } from 'vitest';
import { fitLexicalWeight, meanNdcg } from '../../src/learn/fit-lexical-weight.js';
import type { Candidate } from '../../src/types.js';
import { passageOf } from '../support/passages.js';

/** Candidates `[document, logit, lexical score]`, of which `a` is relevant. */
function question(...rows: [string, number, number?][]) {
  const candidates = rows.map(([documentId, logit, score], index): Candidate => {
    const rerank = { logit, sigmoid: 0.5, windows: 1, truncated: false, order: logit, rank: index + 1 };
    return {
      passage: passageOf('shop', { documentId, text: documentId }),
      scores: {
        fused: { score: 1, rank: index + 1 },
        rerank,
        ...(score === undefined ? {} : { lexical: { score, rank: index + 1 } }),
      },
    };
  });
  return { candidates, judgements: new Map([['a', 1]]) };
}

it('words get the least weight that orders best', () => {
  const questions = [question(['b', 2, 10], ['a', 1, 14]), question(['a', 3, 10], ['b', 1, 15])];
  // The first wants more than 1 / 4, the second less than 2 / 5.
  expect(fitLexicalWeight(questions)).toBe(0.3);
  expect(meanNdcg(questions, 0)).toBeCloseTo((1 / Math.log2(3) + 1) / 2, 12);
  expect(meanNdcg(questions, 0.3)).toBe(1);
});

it('words get none where they change nothing, and a passage that they did not find counts as the last that they did', () => {
  expect(fitLexicalWeight([question(['a', 1, 3], ['b', 0, 9])])).toBe(0);
  expect(fitLexicalWeight([question(['b', 1, 4], ['a', 0.9], ['c', 0, 4])])).toBe(0);
  expect(fitLexicalWeight([])).toBe(0);
});
