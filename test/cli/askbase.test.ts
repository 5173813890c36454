import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SAMPLE_KNOWLEDGE, writeFiles } from '../support/app.js';
import { startCommand } from '../support/command.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { startModelServer } from '../support/model-server.js';

describe('askbase', () => {
  let installation: Installation;
  beforeAll(() => {
    installation = createInstallation({
      'shop/en/returns.md': SAMPLE_KNOWLEDGE['shop/en/returns.md'] ?? '',
      'shop/faq.csv': 'question,answer\nDo you ship to Canada?,Yes. A parcel to Canada takes 9 days.\n',
    });
  });
  afterAll(() => installation.remove());

  const askbase: Installation['askbase'] = (args, more) => installation.askbase(args, more);

  it('explains its commands and exit codes', async () => {
    const { code, stdout } = await askbase(['--help']);
    expect(code).toBe(0);
    for (const word of ['serve', 'ingest', 'ask', 'search', 'models', 'Exit codes'])
      expect(stdout).toContain(word);
  });

  it('ends with 2 for a wrong command line, and says what is wrong', async () => {
    const [unknown, missing, empty] = await Promise.all([
      askbase(['dance']),
      askbase(['ask', 'hello']),
      askbase(['ask', ' ', '--kb', 'shop']),
    ]);
    expect(unknown).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('dance') });
    expect(missing).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--kb') });
    expect(empty).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('empty') });
  });

  it('ends with 2 for a wrong configuration, naming every variable and no value', async () => {
    const { code, stderr } = await askbase(['search', 'x', '--kb', 'shop'], {
      PORT: 'sesame',
      QDRANT_URL: 'sesame',
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/PORT/);
    expect(stderr).toMatch(/QDRANT_URL/);
    expect(stderr).not.toContain('sesame');
  });

  it('ingests a folder, names the file it cannot read, and leaves unchanged ones alone', async () => {
    writeFileSync(join(installation.dir, 'shop/broken.pdf'), 'not a pdf');
    const first = await askbase(['ingest', 'shop', '--kb', 'shop']);
    expect(first.stdout).toMatch(/^2 added, 0 changed, 0 unchanged, 1 failed; \d+ passages\n$/);
    expect(first.stderr).toMatch(/^broken\.pdf: .+\n$/);
    expect(first.code).toBe(1);

    rmSync(join(installation.dir, 'shop/broken.pdf'));
    const again = await askbase(['ingest', 'shop', '--kb', 'shop', '--json']);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    const { results } = JSON.parse(again.stdout) as { results: { documentId: string; status: string }[] };
    expect(results.map(({ documentId, status }) => [documentId, status])).toEqual([
      ['en/returns.md', 'unchanged'],
      ['faq.csv', 'unchanged'],
    ]);
    const nowhere = await askbase(['ingest', 'nowhere', '--kb', 'shop']);
    expect(nowhere).toMatchObject({ code: 1, stderr: 'nowhere cannot be read.\n' });
  });

  it('asks: the answer and its sources on standard output, nothing else anywhere', async () => {
    const plain = await askbase(['ask', 'How many days do I have to return an item?', '--kb', 'shop']);
    expect(plain).toMatchObject({ code: 0, stderr: '' });
    expect(plain.stdout).toContain('30 days');
    expect(plain.stdout).toMatch(/\n\[1\] Returns › .+ \(en\/returns\.md\)/);

    const json = await askbase(['ask', 'Do you ship to Canada?', '--kb', 'shop', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      status: 'answered',
      text: expect.stringContaining('9 days'),
    });

    const unknown = await askbase(['ask', 'zzyzx qwrtp', '--kb', 'shop', '--json']);
    expect(unknown.code).toBe(3);
    expect(JSON.parse(unknown.stdout)).toMatchObject({ status: 'no-answer' });

    const nobody = await askbase(['ask', 'hello', '--kb', 'nobody']);
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('shop') });
  });

  it('measures answers, and ends with 1 where a figure is below its gate', async () => {
    writeFiles(join(installation.dir, 'knowledge'), SAMPLE_KNOWLEDGE);
    const measure = (...args: string[]) => askbase(['eval', 'answers', 'grounding', ...args]);
    const passed = await measure('--json', '--limit', '4', '--min', 'grounding.swapped-flagged=0.5');
    expect(passed).toMatchObject({ code: 0, stderr: '' });
    const { grounding } = JSON.parse(passed.stdout) as Record<string, { name: string; count: number }[]>;
    expect(grounding?.find(({ name }) => name === 'right-kept')?.count).toBeGreaterThan(3);

    const [missed, unknown, elsewhere] = await Promise.all([
      measure('--limit', '4', '--min', 'grounding.right-kept=1.01'),
      measure('--limit', '4', '--min', 'grounding.beauty=1'),
      measure('--min', 'cooking.salt=1'),
    ]);
    expect(missed).toMatchObject({ code: 1, stderr: 'grounding.right-kept is below 1.01\n' });
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('right-kept') });
    expect(elsewhere).toMatchObject({ code: 2, stderr: expect.stringContaining('grounding') });
  });

  it('searches: every score of every candidate', async () => {
    const { code, stdout, stderr } = await askbase(['search', 'return', 'costs', '--kb', 'shop', '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { candidates, threshold } = JSON.parse(stdout) as {
      candidates: { scores: object; decision: string }[];
      threshold: number;
    };
    expect(threshold).toBe(0.5);
    expect(Object.keys(candidates[0]?.scores ?? {}).sort()).toEqual(['dense', 'fused', 'lexical', 'rerank']);
  });
});

describe('the server process', () => {
  it('lets a running answer end after SIGTERM, refuses new ones, and exits with 0', async () => {
    const installation = createInstallation();
    writeFiles(join(installation.dir, 'knowledge'), SAMPLE_KNOWLEDGE);
    let goOn: () => void = () => undefined;
    const wait = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const model = await startModelServer({ steps: ['You have ', { wait }, '30 days [1].'] });
    const server = installation.serve({
      NODE_ENV: 'production',
      OPENAI_BASE_URL: model.url,
      CHAT_MODEL: 'scripted',
    });
    try {
      const [, url = ''] = await server.writes(/listens on (http:\/\/localhost:\d+)/);
      await server.writes(/The knowledge folder is indexed/);
      const ask = { knowledgeBase: 'shop', text: 'How many days do I have to return an item?' };
      const running = request(url).post('/v1/answers').send(ask).then();
      await model.arrived(1);
      server.child.kill('SIGTERM');
      await server.writes(/refusing new questions/);
      const refused = await request(url).post('/v1/answers').send(ask);
      expect(refused.status).toBe(503);
      expect(refused.body.error).toMatchObject({ code: 'unavailable', retryable: true });
      goOn();
      const { body } = await running;
      expect(body).toMatchObject({ status: 'answered', text: expect.stringContaining('30 days') });
      const { code, stdout } = await server.finished;
      expect(code).toBe(0);
      for (const line of stdout.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('level');
    } finally {
      server.child.kill('SIGKILL');
      await model.close();
      installation.remove();
    }
  });

  it('says in one line that it cannot write to its data folder', async () => {
    const { code, stdout } = await startCommand('main.ts', [], {
      cwd: tmpdir(),
      env: { PORT: '0', DATA_DIR: '/dev/null/data' },
    }).finished;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^\S+ error DATA_DIR cannot be written to: \/dev\/null\/data \(ENOTDIR\)\.\n$/);
  });

  it('says in one line that its port is taken', async () => {
    const installation = createInstallation();
    const model = await startModelServer();
    try {
      const { code, stdout } = await installation.serve({ PORT: new URL(model.url).port }).finished;
      expect(code).toBe(1);
      expect(stdout).toMatch(/Port \d+ is in use/);
      expect(stdout).not.toMatch(/^ {4}at /m);
    } finally {
      await model.close();
      installation.remove();
    }
  });
});
