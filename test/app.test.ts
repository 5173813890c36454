import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnswerFrame } from '../src/frames.js';
import { ANALYZER_VERSION } from '../src/retrieve/analyzer.js';
import { createSqlitePassageIndex } from '../src/retrieve/sqlite-passage-index.js';
import { startTestApp, type TestApp } from './support/app.js';
import { askOverSocket } from './support/ask-over-socket.js';
import { documentOf, indexed, passageOf } from './support/passages.js';
import { TINY_DIMENSIONS, TINY_EMBEDDER } from './support/tiny-models.js';

const QUESTION = { knowledgeBase: 'shop', text: 'How many days do I have to return an item?' };

/** What is the same for the same question, however and whenever it is answered. */
function comparable(frames: readonly AnswerFrame[]): unknown[] {
  const merged: Record<string, unknown>[] = [];
  for (const { conversationId: _c, messageId: _m, seq: _s, ...body } of frames) {
    const last = merged.at(-1);
    if (body.type === 'text-delta' && last?.type === 'text-delta') last.text = `${last.text}${body.text}`;
    else if (body.type === 'answer-completed')
      merged.push({ ...body, timings: Object.keys(body.timings).sort() });
    else merged.push({ ...body });
  }
  return merged;
}

function parseEventStream(text: string): AnswerFrame[] {
  return [...text.matchAll(/^data: (.+)$/gm)].map((match) => JSON.parse(match[1] ?? '') as AnswerFrame);
}

describe('the app, without a language model', () => {
  let running: TestApp;
  beforeAll(async () => {
    running = await startTestApp();
  });
  afterAll(() => running.close());

  it('answers a question with words of the right passage, cited', async () => {
    const { body } = await request(running.url).post('/v1/answers').send(QUESTION).expect(200);
    expect(body).toMatchObject({ status: 'answered', degraded: [] });
    expect(body.text).toContain('30 days');
    const [citation] = body.citations;
    const source = body.sources.find(({ n }: { n: number }) => n === citation.n);
    expect(source).toMatchObject({ documentId: 'en/returns.md', passageId: citation.passageId });
    expect(source.text).toContain(citation.quote);
    expect(citation.quote).toContain('30 days');
    expect(source.scores).toMatchObject({
      lexical: { rank: expect.any(Number) },
      dense: { rank: expect.any(Number) },
      fused: { rank: expect.any(Number) },
      rerank: { sigmoid: expect.any(Number), logit: expect.any(Number) },
    });
  });

  it('answers a Chinese question from the Chinese document', async () => {
    const { body } = await request(running.url)
      .post('/v1/answers')
      .send({ knowledgeBase: 'shop', text: '退货期限是多少天？' })
      .expect(200);
    expect(body.status).toBe('answered');
    expect(body.text).toContain('30天');
    expect(body.sources[0].documentId).toBe('zh/returns.md');
  });

  it('gives the same frames over socket.io, as an event stream and in a JSON reply', async () => {
    const json = await request(running.url).post('/v1/answers').send(QUESTION);
    const sse = await request(running.url)
      .post('/v1/answers')
      .set('accept', 'text/event-stream')
      .send(QUESTION);
    const socket = await askOverSocket(running.url, QUESTION);
    const frames: AnswerFrame[] = json.body.frames;
    expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, index) => index));
    expect(frames.map(({ type }) => type)).toEqual(
      expect.arrayContaining([
        'answer-started',
        'sources-found',
        'text-delta',
        'citation-added',
        'answer-completed',
      ]),
    );
    expect(comparable(parseEventStream(sse.text))).toEqual(comparable(frames));
    expect(comparable(socket)).toEqual(comparable(frames));
  });

  it('says that it does not know, before anything is written', async () => {
    const { body } = await request(running.url)
      .post('/v1/answers')
      .send({ knowledgeBase: 'other', text: 'Wie hoch ist der Eiffelturm?' })
      .expect(200);
    expect(body).toMatchObject({ status: 'no-answer', citations: [], sources: [] });
    expect(['no-hits', 'below-threshold']).toContain(body.reason);
  });

  it('answers a red flag at once, without a search', async () => {
    const { body } = await request(running.url)
      .post('/v1/answers')
      .send({ knowledgeBase: 'shop', text: 'I have chest pain since this morning' });
    expect(body).toMatchObject({ status: 'no-answer', reason: 'triage', text: 'Call an ambulance at once.' });
    expect(body.timings).not.toHaveProperty('retrieve');
  });

  it('shows every candidate with its scores and why it was kept or dropped', async () => {
    const { body: answer } = await request(running.url).post('/v1/answers').send(QUESTION);
    const { body: trace } = await request(running.url)
      .get(`/v1/messages/${answer.messageId}/trace`)
      .expect(200);
    expect(trace).toMatchObject({
      status: 'answered',
      threshold: 0.5,
      device: 'cpu',
      embedder: 'tiny-embed',
    });
    const kept = trace.candidates.filter(({ decision }: { decision: string }) => decision === 'kept');
    expect(kept.map(({ passage }: { passage: { id: string } }) => passage.id)).toEqual(
      answer.sources.map(({ passageId }: { passageId: string }) => passageId),
    );
    expect(trace.candidates.length).toBeGreaterThan(kept.length);
  });

  it('is ready, and says what it runs on', async () => {
    const { body } = await request(running.url).get('/readyz').expect(200);
    expect(body.dependencies).toMatchObject({
      index: { ready: true, engine: 'sqlite' },
      embedder: { ready: true, device: 'cpu', model: 'tiny-embed' },
      reranker: { ready: true, device: 'cpu', model: 'tiny-rerank' },
      knowledge: { ready: true },
      answers: { mode: 'extractive' },
    });
    for (let time = 0; time < 2; time += 1) await request(running.url).post('/v1/answers').send(QUESTION);
    const metrics = await request(running.url).get('/metrics').expect(200);
    expect(metrics.text).toMatch(/askbase_model_ready\{model="tiny-rerank",.*device="cpu".*\} 1/);
    expect(metrics.text).toMatch(/askbase_inference_queued_sequences\{pool="cpu"\} 0/);
    expect(metrics.text).toMatch(/askbase_inference_cache_hits\{cache="scores"\} [1-9]/);
  });

  it('takes a file, answers from it, and forgets it when it is deleted', async () => {
    const path = '/v1/knowledge-bases/other/documents';
    const upload = await request(running.url)
      .post(path)
      .attach('files', Buffer.from('# Attic\n\nThe attic lamp has 40 watts.'), 'attic.md')
      .expect(200);
    expect(upload.body.results).toEqual([
      expect.objectContaining({ documentId: 'attic.md', status: 'added', passages: 1 }),
    ]);
    const ask = { knowledgeBase: 'other', text: 'How many watts has the attic lamp?' };
    expect((await request(running.url).post('/v1/answers').send(ask)).body.text).toContain('40 watts');
    await request(running.url).delete(`${path}/attic.md`).expect(204);
    expect((await request(running.url).post('/v1/answers').send(ask)).body.text).not.toContain('40 watts');
  });

  it('serves the page', async () => {
    const page = await request(running.url).get('/').expect(200);
    expect(page.text).toContain('<!doctype html>');
    await request(running.url)
      .get('/main.js')
      .expect(200)
      .expect('content-type', /javascript/);
    await request(running.url).get('/client/askbase-client.js').expect(200);
  });

  it('offers a knowledge base that another process has made meanwhile', async () => {
    const index = await createSqlitePassageIndex({ file: join(running.dir, 'data/index.db') });
    const passage = passageOf('attic', { text: 'The attic lamp has 40 watts.' });
    const vector = Array.from({ length: TINY_DIMENSIONS }, () => TINY_DIMENSIONS ** -0.5);
    await index.prepare({ embedder: TINY_EMBEDDER, dimensions: TINY_DIMENSIONS, analyzer: ANALYZER_VERSION });
    await index.replaceDocument(documentOf(passage), [indexed(passage, vector)], {
      signal: new AbortController().signal,
    });
    await index.close();
    const { body } = await request(running.url).get('/v1/knowledge-bases').expect(200);
    expect(body.knowledgeBases).toContainEqual(expect.objectContaining({ id: 'attic', passages: 1 }));
    await request(running.url).get('/v1/knowledge-bases/attic/documents').expect(200);
  });

  it('follows the knowledge folder while it runs', async () => {
    writeFileSync(join(running.dir, 'knowledge/other/garage.md'), '# Garage\n\nThe garage code is 4711.');
    await expect
      .poll(
        async () => {
          const { body } = await request(running.url).get('/v1/knowledge-bases/other/documents');
          return body.documents.map(({ documentId }: { documentId: string }) => documentId);
        },
        { timeout: 20_000 },
      )
      .toContain('garage.md');
  });
});

describe('a restart', () => {
  it('finds documents, conversations and answers unchanged', async () => {
    const first = await startTestApp();
    const { body: answer } = await request(first.url).post('/v1/answers').send(QUESTION);
    const { body: before } = await request(first.url).get('/v1/knowledge-bases/shop/documents');
    await first.close({ keep: true });

    const second = await startTestApp({ dir: first.dir });
    try {
      await expect(second.app.knowledgeRead()).resolves.toMatchObject({
        added: 0,
        changed: 0,
        removed: 0,
        failed: [],
      });
      const { body: after } = await request(second.url).get('/v1/knowledge-bases/shop/documents');
      expect(after).toEqual(before);
      const { body: replay } = await request(second.url).get(`/v1/answers/${answer.messageId}/frames`);
      expect(replay.frames).toEqual(answer.frames);
    } finally {
      await second.close();
    }
  });
});

describe('a device that was asked for and cannot be had', () => {
  it('makes /readyz answer 503 with the reason, and the reranker is not run elsewhere', async () => {
    const running = await startTestApp({ env: { RERANK_DEVICE: 'cuda' } });
    try {
      const { body } = await request(running.url).get('/readyz').expect(503);
      expect(body.dependencies.reranker).toMatchObject({
        ready: false,
        requestedDevice: 'cuda',
        device: null,
      });
      expect(body.dependencies.reranker.reason).toMatch(/cuda/i);
      const answer = await request(running.url).post('/v1/answers').send(QUESTION).expect(200);
      expect(answer.body.degraded).toEqual(['rerank']);
    } finally {
      await running.close();
    }
  });
});

describe('a missing model', () => {
  it('is named by /readyz, and answers go on without it', async () => {
    const running = await startTestApp({ env: { RERANK_MODEL: 'not-there' } });
    try {
      const { body } = await request(running.url).get('/readyz').expect(503);
      expect(body.dependencies.reranker).toMatchObject({
        ready: false,
        model: 'not-there',
        reason: expect.any(String),
      });
      const answer = await request(running.url).post('/v1/answers').send(QUESTION).expect(200);
      expect(answer.body).toMatchObject({ status: 'answered', degraded: ['rerank'] });
    } finally {
      await running.close();
    }
  });

  it('does not stop a start with an empty knowledge folder', async () => {
    const running = await startTestApp({ knowledge: { 'README.md': 'nothing here' } });
    try {
      const { body } = await request(running.url).get('/v1/knowledge-bases').expect(200);
      expect(body.knowledgeBases).toEqual([]);
    } finally {
      rmSync(running.dir, { recursive: true, force: true });
      await running.close();
    }
  });
});
