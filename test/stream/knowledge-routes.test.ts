import { randomUUID } from 'node:crypto';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Trace } from '../../src/store/trace-store.js';
import {
  conversationReplySchema,
  conversationsReplySchema,
  documentReplySchema,
  documentsReplySchema,
  knowledgeBasesReplySchema,
  searchReplySchema,
  traceSchema,
  uploadReplySchema,
} from '../../src/stream/reply-schemas.js';
import { candidate, type HttpTestServer, startHttpServer } from './http-server.js';
import { createEndless, echo, PASSAGE_ID } from './scripted-answers.js';

let server: HttpTestServer;
beforeEach(async () => {
  server = await startHttpServer();
});
afterEach(() => server.close());

const question = { knowledgeBase: 'shop', text: 'How long?' };
const ask = async (): Promise<{ conversationId: string; messageId: string }> =>
  (await request(server.url).post('/v1/answers').send(question)).body;

describe('GET /v1/knowledge-bases', () => {
  it('describes what may be asked and what answers are written with, and no more', async () => {
    const { body } = await request(server.url).get('/v1/knowledge-bases').expect(200);
    expect(knowledgeBasesReplySchema.strict().parse(body)).toEqual(body);
    expect(body).toMatchObject({
      mode: 'extractive',
      models: { chat: [], embedder: 'tiny', reranker: null },
      knowledgeBases: [{ id: 'shop', title: { en: 'Shop', zh: '商店' }, documents: 2, passages: 7 }],
    });
    expect(Object.keys(body.knowledgeBases[0])).not.toContain('triage');
  });
});

describe('POST /v1/search', () => {
  it('gives every candidate with all its scores', async () => {
    const input = { knowledgeBase: 'shop', query: 'returns', filter: { language: 'en', tags: ['a'] } };
    const { body } = await request(server.url).post('/v1/search').send(input).expect(200);
    expect(searchReplySchema.strict().parse(body)).toEqual({
      candidates: [candidate],
      threshold: 0.5,
      degraded: [],
    });
  });

  it.each([
    [{ query: 'x' }, 400],
    [{ knowledgeBase: 'shop', query: '' }, 400],
    [{ knowledgeBase: 'shop', query: 'x', filter: { documentIds: [] } }, 400],
    [{ knowledgeBase: 'shop', query: 'x', filter: { $where: '1' } }, 400],
    [{ knowledgeBase: 'nowhere', query: 'x' }, 404],
  ])('refuses %j', async (input, status) => {
    await request(server.url).post('/v1/search').send(input).expect(status);
  });
});

describe('Documents', () => {
  const documents = '/v1/knowledge-bases/shop/documents';
  const upload = (...files: [name: string, bytes: Buffer][]): Promise<Response> => {
    const body = new FormData();
    for (const [name, bytes] of files) body.append('files', new Blob([Uint8Array.from(bytes)]), name);
    return fetch(server.url + documents, { method: 'POST', body });
  };

  it('are listed, and read with their passages by a path with or without escaped slashes', async () => {
    const list = await request(server.url).get(documents).expect(200);
    expect(documentsReplySchema.strict().parse(list.body)).toEqual(list.body);
    for (const path of ['en/returns.md', 'en%2Freturns.md']) {
      const { body } = await request(server.url).get(`${documents}/${path}`).expect(200);
      expect(documentReplySchema.strict().parse(body)).toEqual(body);
      expect(body.passages).toHaveLength(1);
    }
    await request(server.url).get(`${documents}/en/none.md`).expect(404);
  });

  it('are uploaded several at once, bytes and Chinese names kept; one that cannot be read fails alone', async () => {
    const bytes = Buffer.from([0, 255, 10, 13, 128]);
    const reply = await upload(['退货政策.md', bytes], ['zh/empty.md', Buffer.alloc(0)]);
    const body = await reply.json();
    expect(uploadReplySchema.strict().parse(body)).toEqual(body);
    expect(body.results).toMatchObject([
      { documentId: '退货政策.md', status: 'added' },
      { documentId: 'zh/empty.md', status: 'failed', error: { code: 'unreadable' } },
    ]);
    expect(Buffer.from(server.uploaded[0]?.bytes ?? [])).toEqual(bytes);
  });

  it.each(['../../etc/passwd', '/etc/passwd', 'a/../b.md', 'a\\b.md', 'a//b.md', '.', 'a\u0001.md'])(
    'are refused under the name %j',
    async (filename) => {
      const reply = await upload(['fine.md', Buffer.from('x')], [filename, Buffer.from('x')]);
      const body = await reply.json();
      expect(body.error).toMatchObject({ code: 'invalid' });
      expect(server.uploaded).toEqual([]);
    },
  );

  it('are refused when there are too many, one is too large, or all together are', async () => {
    await server.close();
    const limits = { files: 2, fileBytes: 1000, totalBytes: 1500 };
    server = await startHttpServer(echo, { limits: { upload: limits } });
    const uploadSizes = (...sizes: number[]): Promise<Response> =>
      upload(...sizes.map((size, index): [string, Buffer] => [`${index}.md`, Buffer.alloc(size, 'x')]));
    expect((await uploadSizes(700, 700)).status).toBe(200);
    for (const sizes of [[1, 1, 1], [1001], [800, 800]]) {
      const reply = await uploadSizes(...sizes);
      expect(reply.status).toBe(413);
      expect(await reply.json()).toMatchObject({ error: { code: 'too-large' } });
    }
  });

  it.each([
    ['JSON', 'application/json', '{}', 415],
    ['no boundary', 'multipart/form-data', 'x', 400],
    [
      'half a body',
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="f"; filename="a.md"\r\n\r\nhalf',
      400,
    ],
    [
      'a field that is no file',
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="f"\r\n\r\nv\r\n--x--\r\n',
      400,
    ],
    ['no file', 'multipart/form-data; boundary=x', '--x--\r\n', 400],
  ])('are refused as %s', async (_, type, body, status) => {
    const reply = await fetch(server.url + documents, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body,
    });
    expect(reply.status).toBe(status);
    expect(await reply.json()).toMatchObject({ error: { retryable: false } });
  });

  it('are deleted', async () => {
    await request(server.url).delete(`${documents}/en/returns.md`).expect(204);
    await request(server.url).delete(`${documents}/en/none.md`).expect(404);
    await request(server.url).delete('/v1/knowledge-bases/nowhere/documents/a.md').expect(404);
  });
});

describe('Conversations', () => {
  it('are listed and read', async () => {
    const { conversationId, messageId } = await ask();
    const list = await request(server.url).get('/v1/conversations?limit=1').expect(200);
    expect(conversationsReplySchema.strict().parse(list.body)).toEqual(list.body);
    expect(list.body.conversations).toMatchObject([{ conversationId, title: 'How long?', messages: 1 }]);
    const { body } = await request(server.url).get(`/v1/conversations/${conversationId}`).expect(200);
    expect(conversationReplySchema.strict().parse(body)).toEqual(body);
    expect(body.messages).toMatchObject([{ messageId, status: 'answered' }]);
  });

  it('are deleted with their frames', async () => {
    const { conversationId, messageId } = await ask();
    await request(server.url).delete(`/v1/conversations/${conversationId}`).expect(204);
    await request(server.url).get(`/v1/conversations/${conversationId}`).expect(404);
    await request(server.url).get(`/v1/answers/${messageId}/frames`).expect(404);
    await request(server.url).delete(`/v1/conversations/${conversationId}`).expect(404);
  });

  it('stop their running answer when they are deleted', async () => {
    await server.close();
    const endless = createEndless();
    server = await startHttpServer(endless.pipeline);
    const { conversationId } = await server.runner.start(question);
    await endless.writing;
    await request(server.url).delete(`/v1/conversations/${conversationId}`).expect(204);
    await endless.aborted;
  });

  it.each(['?limit=0', '?limit=1000', '?limit=all', '?limit=', '?order=x'])(
    'are not listed by %s',
    async (query) => {
      await request(server.url).get(`/v1/conversations${query}`).expect(400);
    },
  );
});

describe('GET /v1/messages/:messageId/trace', () => {
  it('tells how the answer came about', async () => {
    const { conversationId, messageId } = await ask();
    const trace: Trace = {
      understanding: [],
      messageId,
      conversationId,
      knowledgeBase: 'shop',
      question: { text: 'x', standalone: 'x', language: 'en' },
      mode: 'extractive',
      candidates: [candidate],
      threshold: null,
      status: 'no-answer',
      reason: 'below-threshold',
      timings: { total: 3 },
      degraded: [],
      embedder: 'tiny',
      reranker: null,
      device: null,
      at: '2026-01-01T00:00:00.000Z',
    };
    await server.store.writeTrace(trace);
    const { body } = await request(server.url).get(`/v1/messages/${messageId}/trace`).expect(200);
    expect(traceSchema.strict().parse(body)).toEqual(trace);
    await request(server.url).get(`/v1/messages/${randomUUID()}/trace`).expect(404);
  });
});

describe('POST /v1/feedback', () => {
  it('stores the verdict on an answer that exists', async () => {
    const { messageId } = await ask();
    const given = { messageId, verdict: 'up', passageIds: [PASSAGE_ID] };
    await request(server.url).post('/v1/feedback').send(given).expect(204);
    expect(await server.store.readFeedback(messageId)).toEqual({ ...given, at: expect.any(String) });
    await request(server.url)
      .post('/v1/feedback')
      .send({ ...given, messageId: randomUUID() })
      .expect(404);
    await request(server.url)
      .post('/v1/feedback')
      .send({ ...given, verdict: 1 })
      .expect(400);
  });
});
