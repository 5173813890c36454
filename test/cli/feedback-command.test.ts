import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import request from 'supertest';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readBeirDataset } from '../../src/learn/beir-dataset.js';
import { SAMPLE_KNOWLEDGE, writeFiles } from '../support/app.js';
import { createInstallation, type Installation } from '../support/installation.js';

// Each command is a process that loads everything anew.
vi.setConfig({ testTimeout: 300_000 });

let installation: Installation;
beforeAll(() => {
  installation = createInstallation();
  writeFiles(join(installation.dir, 'knowledge'), SAMPLE_KNOWLEDGE);
});
afterAll(() => installation.remove());

it('makes triples and a labelled set of what readers liked, while the server runs', async () => {
  const nothing = await installation.askbase(['feedback', 'triples']);
  expect(nothing).toMatchObject({ code: 3, stdout: '' });
  expect(nothing.stderr).toContain('0 verdicts: 0 questions');

  const server = installation.serve({ NODE_ENV: 'production' });
  try {
    const [, url = ''] = await server.writes(/listens on (http:\/\/localhost:\d+)/);
    await server.writes(/The knowledge folder is indexed/);
    const question = 'How many days do I have to return an item?';
    const { body: answer } = await request(url)
      .post('/v1/answers')
      .send({ knowledgeBase: 'shop', text: question });
    const cited = answer.citations[0]?.passageId;
    expect(cited).toBeDefined();
    const { messageId } = answer;
    await request(url).post('/v1/feedback').send({ messageId, verdict: 'up' }).expect(204);

    const triples = await installation.askbase(['feedback', 'triples', '--kb', 'shop']);
    expect(triples.code).toBe(0);
    expect(triples.stderr).toMatch(/^1 verdicts: 1 questions with \d+ relevant and \d+ other passages\n$/);
    const triple = JSON.parse(triples.stdout.split('\n')[0] ?? '');
    expect(triple).toMatchObject({ query: question, source: 'shop' });
    expect(triple.positive).toContain('30 days');

    const folder = join(installation.dir, 'labelled');
    expect(await installation.askbase(['feedback', 'set', folder])).toMatchObject({ code: 0, stdout: '' });
    const { queries, judgements, documents } = await readBeirDataset(folder);
    expect(queries.map(({ text }) => text)).toEqual([question]);
    expect(judgements.get(queries[0]?.id ?? '')?.get(cited)).toBe(1);
    expect(documents.map(({ id }) => id)).toContain(cited);
    const measured = await installation.askbase(['eval', folder, '--min', 'ndcg@10=0.5']);
    expect(measured).toMatchObject({ code: 0, stdout: expect.stringContaining('reranked') });
  } finally {
    server.child.kill('SIGKILL');
    await server.finished;
  }
});

it('says what is wrong with what it was given', async () => {
  expect(await installation.askbase(['feedback', 'triples', '--kb', 'No Good'])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('--kb No Good'),
  });
  const unwritable = await installation.askbase(['feedback', 'triples', 'nowhere/x.jsonl']);
  expect(unwritable).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('nowhere/x.jsonl cannot be written'),
  });
  expect(() => readFileSync(join(installation.dir, 'nowhere/x.jsonl'))).toThrow('ENOENT');
  const set = await installation.askbase(['feedback', 'set', '/dev/null/x']);
  expect(set).toMatchObject({ code: 1, stderr: expect.stringContaining('/dev/null/x cannot be written') });
});
