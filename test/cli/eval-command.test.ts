import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FinishedCommand } from '../support/command.js';
import { createInstallation, type Installation } from '../support/installation.js';

const WORDS = ['kettle', 'toaster', 'lamp', 'blender'];

describe('askbase eval', () => {
  let installation: Installation;
  beforeAll(() => {
    installation = createInstallation({
      'set/corpus.jsonl': WORDS.map((word) =>
        JSON.stringify({ _id: word, text: `The ${word} is returned within 30 days.` }),
      ).join('\n'),
      'set/queries.jsonl': WORDS.map((word) =>
        JSON.stringify({ _id: word, text: `return the ${word}` }),
      ).join('\n'),
      // The lamp is judged to be the answer to the blender's question: one of four cannot be right.
      'set/qrels.tsv': WORDS.map((word) => `${word}\t${word === 'blender' ? 'lamp' : word}\t1`).join('\n'),
    });
  });
  afterAll(() => installation.remove());

  const evaluate = (...args: string[]): Promise<FinishedCommand> =>
    installation.askbase(['eval', 'set', ...args]);

  it('measures every stage, writes the report, and passes a gate that is met', async () => {
    const { code, stdout, stderr } = await evaluate(
      '--json',
      '--html',
      'report.html',
      '--min',
      'hit@1=0.75',
      'recall@10=1',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { documents, questions, stages } = JSON.parse(stdout);
    expect({ documents, questions }).toEqual({ documents: 4, questions: 4 });
    expect(Object.keys(stages)).toEqual(['lexical', 'dense', 'fused', 'reranked']);
    expect(stages.reranked['hit@1'].mean).toBe(0.75);
    expect(stages.reranked['hit@1'].low).toBeLessThan(0.75);
    const report = readFileSync(join(installation.dir, 'report.html'), 'utf8');
    for (const part of ['NDCG@10 by stage', 'Share of candidates by sigmoid', 'Right: <b>lamp</b>']) {
      expect(report).toContain(part);
    }
  });

  it('ends with 1 below a gate, naming it, and with 2 for a gate on something that is not measured', async () => {
    expect(await evaluate('--min', 'hit@1=0.8')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('reranked'),
      stderr: 'hit@1 of reranked is below 0.8\n',
    });
    expect(await evaluate('--min', 'beauty=0.8')).toMatchObject({ code: 2 });
  });
});
