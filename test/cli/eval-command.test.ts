import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFiles } from '../support/app.js';
import { type FinishedCommand, startCommand } from '../support/command.js';
import { TINY_EMBEDDER, TINY_RERANKER, writeTinyModels } from '../support/tiny-models.js';

const WORDS = ['kettle', 'toaster', 'lamp', 'blender'];

describe('askbase eval', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'askbase-eval-cli-'));
    writeTinyModels(join(dir, 'models'));
    writeFiles(join(dir, 'set'), {
      'corpus.jsonl': WORDS.map((word) =>
        JSON.stringify({ _id: word, text: `The ${word} is returned within 30 days.` }),
      ).join('\n'),
      'queries.jsonl': WORDS.map((word) => JSON.stringify({ _id: word, text: `return the ${word}` })).join(
        '\n',
      ),
      // The lamp is judged to be the answer to the blender's question: one of four cannot be right.
      'qrels.tsv': WORDS.map((word) => `${word}\t${word === 'blender' ? 'lamp' : word}\t1`).join('\n'),
    });
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const evaluate = (...args: string[]): Promise<FinishedCommand> =>
    startCommand('cli/askbase.ts', ['eval', 'set', ...args], {
      cwd: dir,
      env: {
        DATA_DIR: join(dir, 'data'),
        MODELS_DIR: join(dir, 'models'),
        KNOWLEDGE_DIR: join(dir, 'knowledge'),
        EMBED_MODEL: TINY_EMBEDDER,
        RERANK_MODEL: TINY_RERANKER,
        EMBED_DEVICE: 'cpu',
        RERANK_DEVICE: 'cpu',
      },
    }).finished;

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
    const report = readFileSync(join(dir, 'report.html'), 'utf8');
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
