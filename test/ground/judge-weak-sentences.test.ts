import { expect, it } from 'vitest';
import type { Source } from '../../src/frames.js';
import type { Grounding, GroundingFrame } from '../../src/ground/grounding.js';
import { judgeWeakSentences } from '../../src/ground/judge-weak-sentences.js';
import type { JudgeSentence } from '../../src/ground/sentence-judge.js';

const check = (span: [number, number], verdict: 'supported' | 'weak'): GroundingFrame => ({
  type: 'grounding-checked',
  span,
  verdict,
  score: 0.5,
  citations: [1],
  reasons: [],
});
const delta = (text: string): GroundingFrame => ({ type: 'text-delta', text });
const sources = [{ n: 1 } as Source];

/** Gives these frames, one list per push and the last at the end. */
function grounding(pushes: GroundingFrame[][]): Grounding {
  const left = [...pushes];
  const next = (): GroundingFrame[] => left.shift() ?? [];
  return {
    push: next,
    finish: next,
    text: 'One. Two. Three.',
    citations: [],
    inventedCitations: 0,
    withheld: 0,
  };
}

function judging(judge: JudgeSentence, pushes: GroundingFrame[][]) {
  const failures: string[] = [];
  const judged = judgeWeakSentences(grounding(pushes), {
    judge,
    sources,
    mask: false,
    onJudged: () => undefined,
    onFailure: () => failures.push('failed'),
    signal: new AbortController().signal,
    timeoutMs: 50,
  });
  return { judged, failures };
}

it('lets text pass at once and keeps verdicts in order behind the one that is being judged', async () => {
  let answer: (verdict: 'supported') => void = () => undefined;
  const judge = () =>
    new Promise<'supported'>((resolve) => {
      answer = resolve;
    });
  const { judged } = judging(judge, [
    [delta('One.'), check([0, 4], 'weak')],
    [delta(' Two.'), check([5, 9], 'supported')],
    [delta(' Three.')],
    [],
  ]);
  expect(judged.push('')).toEqual([delta('One.')]);
  expect(judged.push('')).toEqual([delta(' Two.')]);
  answer('supported');
  await new Promise(setImmediate);
  expect(judged.push('')).toEqual([check([0, 4], 'supported'), check([5, 9], 'supported'), delta(' Three.')]);
  expect(judged.finish()).toEqual([]);
  expect(await judged.verdicts()).toEqual([]);
});

it('waits for a judge at the end, and no longer than its time', async () => {
  const judge: JudgeSentence = (_, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const { judged, failures } = judging(judge, [[check([0, 4], 'weak')]]);
  expect(judged.finish()).toEqual([]);
  expect(await judged.verdicts()).toEqual([check([0, 4], 'weak')]);
  expect(failures).toEqual(['failed']);
});
