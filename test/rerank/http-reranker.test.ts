import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createHttpReranker } from '../../src/rerank/http-reranker.js';

interface Reply {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}
type Answer = (body: Record<string, unknown>, request: IncomingMessage) => Reply | null;

let server: Server | undefined;
const asked: Record<string, unknown>[] = [];
const { signal } = new AbortController();

/** A service that answers as the test says; null leaves the client waiting. */
async function serve(answer: Answer): Promise<string> {
  asked.length = 0;
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const body = JSON.parse(text) as Record<string, unknown>;
      asked.push(body);
      const reply = answer(body, request);
      if (reply === null) return;
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
      response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {}));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/rerank`;
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

describe('a rerank service', () => {
  test("of Cohere's shape gives relevances, best first, which come back in input order", async () => {
    const url = await serve(() => ({
      body: {
        results: [
          { index: 1, relevance_score: 0.9 },
          { index: 0, relevance_score: 0.1 },
        ],
      },
    }));
    const scores = await createHttpReranker({ url, model: 'theirs' }).score('q', ['a', 'b'], { signal });
    expect(scores.map(({ sigmoid }) => sigmoid)).toEqual([0.1, 0.9]);
    expect(scores[1]?.logit).toBeCloseTo(Math.log(9), 10);
    expect(asked).toEqual([
      { model: 'theirs', query: 'q', documents: ['a', 'b'], top_n: 2, return_documents: false },
    ]);
  });

  test('of the TEI shape is found out, asked for raw scores, and from then on asked that way at once', async () => {
    const url = await serve(({ texts }) =>
      texts === undefined
        ? { status: 422, body: 'missing field `texts`' }
        : {
            body: [
              { index: 1, score: 2 },
              { index: 0, score: -2 },
            ],
          },
    );
    const reranker = createHttpReranker({ url, model: 'theirs' });
    const [first, second] = await reranker.score('q', ['a', 'b'], { signal });
    expect([first?.logit, second?.logit]).toEqual([-2, 2]);
    expect(second?.sigmoid).toBeCloseTo(1 / (1 + Math.exp(-2)), 12);
    await reranker.score('q', ['a', 'b'], { signal });
    expect(asked.map((body) => 'texts' in body)).toEqual([false, true, true]);
    expect(asked[2]).toEqual({ query: 'q', texts: ['a', 'b'], raw_scores: true, truncate: true });
  });

  test('is not asked for no passages', async () => {
    const reranker = createHttpReranker({ url: 'http://127.0.0.1:9/', model: 'theirs' });
    expect(await reranker.score('q', [], { signal })).toEqual([]);
  });
});

describe('a rerank service that does not answer well', () => {
  const results = (...entries: [number, number][]): unknown => ({
    results: entries.map(([index, relevance_score]) => ({ index, relevance_score })),
  });

  test.each<[string, Reply, object]>([
    [
      'is busy',
      { status: 429, headers: { 'retry-after': '7' } },
      { code: 'overloaded', retryAfterSeconds: 7 },
    ],
    ['is broken', { status: 500, body: 'secret stack' }, { code: 'unavailable', retryable: true }],
    ['refuses us', { status: 401 }, { code: 'unavailable', retryable: false }],
    ['speaks no JSON', { body: '<html>' }, { code: 'unavailable' }],
    ['speaks another shape', { body: { scores: [1] } }, { code: 'unavailable' }],
    ['leaves out a passage', { body: results([0, 0.5]) }, { code: 'unavailable' }],
    ['names one twice', { body: results([0, 0.5], [0, 0.6]) }, { code: 'unavailable' }],
    ['names one that is not there', { body: results([0, 0.5], [7, 0.6]) }, { code: 'unavailable' }],
    ['gives logits as relevances', { body: results([0, 4], [1, -3]) }, { code: 'unavailable' }],
  ])('and %s', async (_, reply, error) => {
    const url = await serve(() => reply);
    await expect(
      createHttpReranker({ url, model: 'theirs' }).score('q', ['a', 'b'], { signal }),
    ).rejects.toMatchObject(error);
  });

  test('and is not there', async () => {
    const reranker = createHttpReranker({ url: 'http://127.0.0.1:9/rerank', model: 'theirs' });
    await expect(reranker.score('q', ['a'], { signal })).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('and is silent', async () => {
    const url = await serve(() => null);
    const reranker = createHttpReranker({ url, model: 'theirs', timeoutMs: 20 });
    await expect(reranker.score('q', ['a'], { signal })).rejects.toMatchObject({ code: 'timeout' });
  });

  test('and whose caller leaves', async () => {
    const controller = new AbortController();
    const url = await serve(() => {
      controller.abort();
      return null;
    });
    const reranker = createHttpReranker({ url, model: 'theirs' });
    await expect(reranker.score('q', ['a'], { signal: controller.signal })).rejects.toMatchObject({
      code: 'stopped',
    });
  });
});
