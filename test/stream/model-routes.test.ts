import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createInferenceEngine, type InferenceEngine } from '../../src/inference/inference-engine.js';
import { createHttpReranker } from '../../src/rerank/http-reranker.js';
import { createOnnxReranker } from '../../src/rerank/onnx-reranker.js';
import { createOnnxEmbedder } from '../../src/retrieve/onnx-embedder.js';
import { createOpenAiEmbedder } from '../../src/retrieve/openai-embedder.js';
import { createEmbeddingsRoutes } from '../../src/stream/embeddings-routes.js';
import { createRerankRoutes } from '../../src/stream/rerank-routes.js';
import { silentLogger } from '../support/silent-logger.js';
import { TINY_DIMENSIONS, TINY_EMBEDDER, TINY_RERANKER, writeTinyModels } from '../support/tiny-models.js';
import { type HttpTestServer, startHttpServer } from './http-server.js';

let modelsDir: string;
let engine: InferenceEngine;
let server: HttpTestServer;
let bare: HttpTestServer;
const { signal } = new AbortController();

beforeAll(async () => {
  modelsDir = mkdtempSync(join(tmpdir(), 'askbase-routes-'));
  writeTinyModels(modelsDir);
  engine = await createInferenceEngine({
    modelsDir,
    models: [
      { name: TINY_RERANKER, kind: 'reranker', device: 'cpu' },
      { name: TINY_EMBEDDER, kind: 'embedder', device: 'cpu' },
    ],
    logger: silentLogger,
    cpuThreads: 1,
  });
  const reranker = createOnnxReranker({ engine, model: TINY_RERANKER });
  const embedder = createOnnxEmbedder({ engine, model: TINY_EMBEDDER });
  server = await startHttpServer(undefined, {
    routers: [createRerankRoutes({ reranker }), createEmbeddingsRoutes({ embedder })],
  });
  bare = await startHttpServer(undefined, {
    routers: [createRerankRoutes({ reranker: null }), createEmbeddingsRoutes({ embedder: null })],
  });
});
afterAll(async () => {
  await Promise.all([server.close(), bare.close(), engine.close()]);
  rmSync(modelsDir, { recursive: true });
});

const query = 'return the kettle';
const documents = ['invoices come by mail', 'the kettle may be returned', 'kettle'];

describe('the rerank service', () => {
  test.each(['/v1/rerank', '/rerank', '/v2/rerank'])(
    "speaks Cohere's and Jina's shape at %s",
    async (path) => {
      const { body } = await supertest(server.url)
        .post(path)
        .send({ model: 'any', query, documents })
        .expect(200);
      expect(body.model).toBe(TINY_RERANKER);
      expect(body.results.map(({ index }: { index: number }) => index)).toEqual([1, 2, 0]);
      for (const { relevance_score: relevance, document } of body.results) {
        expect(relevance).toBeGreaterThan(0);
        expect(relevance).toBeLessThan(1);
        expect(document).toBeUndefined();
      }
    },
  );

  test('gives as many results as asked for, with their texts where asked for', async () => {
    const { body } = await supertest(server.url)
      .post('/v1/rerank')
      .send({ query, documents: documents.map((text) => ({ text })), top_n: 1, return_documents: true })
      .expect(200);
    expect(body.results).toEqual([
      { index: 1, relevance_score: expect.any(Number), document: { text: documents[1] } },
    ]);
  });

  test('speaks the TEI shape, with sigmoids or raw scores', async () => {
    const ask = async (fields: object) =>
      (
        await supertest(server.url)
          .post('/rerank')
          .send({ query, texts: documents, ...fields })
          .expect(200)
      ).body;
    const plain = await ask({ truncate: true });
    const raw = await ask({ raw_scores: true, return_text: true });
    expect(plain.map(({ index }: { index: number }) => index)).toEqual([1, 2, 0]);
    expect(plain[0].score).toBeCloseTo(1 / (1 + Math.exp(-raw[0].score)), 10);
    expect(raw[0]).toEqual({ index: 1, score: expect.any(Number), text: documents[1] });
  });

  test('serves as the reranker of another server', async () => {
    const local = createOnnxReranker({ engine, model: TINY_RERANKER });
    const remote = createHttpReranker({ url: `${server.url}/v1/rerank`, model: 'any' });
    const expected = await local?.score(query, documents, { signal });
    const scores = await remote.score(query, documents, { signal });
    expect(scores.map(({ sigmoid }) => sigmoid)).toEqual(expected?.map(({ sigmoid }) => sigmoid));
  });

  test.each<[string, unknown]>([
    ['no query', { documents }],
    ['an empty query', { query: '  ', documents }],
    ['no documents', { query, documents: [] }],
    ['documents of a wrong type', { query, documents: [1] }],
    ['too many documents', { query, documents: new Array(1001).fill('a') }],
    ['a wrong top_n', { query, documents, top_n: 0 }],
    ['texts of a wrong type', { query, texts: 'a' }],
    ['a list', []],
  ])('refuses %s', async (_, body) => {
    const response = await supertest(server.url)
      .post('/v1/rerank')
      .send(body as object);
    expect(response.status).toBe(400);
    expect(response.body.error).toMatchObject({ code: 'invalid', retryable: false });
  });

  test('says so where no reranker is installed, and that only POST is offered', async () => {
    const { body } = await supertest(bare.url).post('/rerank').send({ query, documents }).expect(503);
    expect(body.error).toMatchObject({ code: 'unavailable', message: 'No reranker is installed.' });
    await supertest(server.url).get('/rerank').expect(405);
  });
});

describe('the embeddings service', () => {
  test("serves OpenAI's client, in order, as floats and in base64", async () => {
    const local = createOnnxEmbedder({ engine, model: TINY_EMBEDDER });
    const expected = await local?.embed(documents, { kind: 'passage', signal });
    const remote = createOpenAiEmbedder({
      apiKey: 'none',
      baseUrl: `${server.url}/v1`,
      model: 'any',
      dimensions: TINY_DIMENSIONS,
    });
    const vectors = await remote.embed(documents, { kind: 'passage', signal });
    for (const [index, vector] of vectors.entries()) {
      for (const [i, value] of vector.entries())
        expect(value).toBeCloseTo(expected?.[index]?.[i] as number, 6);
    }
    const { body } = await supertest(server.url)
      .post('/v1/embeddings')
      .send({ input: documents[0], encoding_format: 'base64' })
      .expect(200);
    const bytes = Buffer.from(body.data[0].embedding, 'base64');
    expect(bytes.readFloatLE(0)).toBeCloseTo(expected?.[0]?.[0] as number, 6);
    expect(body.usage.total_tokens).toBeGreaterThan(0);
  });

  test.each<[string, object]>([
    ['nothing', {}],
    ['an empty text', { input: '' }],
    ['token ids', { input: [[1, 2]] }],
    ['other dimensions', { input: 'a', dimensions: 3 }],
  ])('refuses %s', async (_, body) => {
    const response = await supertest(server.url).post('/v1/embeddings').send(body).expect(400);
    expect(response.body.error.code).toBe('invalid');
  });

  test('says so where no embedder is installed', async () => {
    const { body } = await supertest(bare.url).post('/v1/embeddings').send({ input: 'a' }).expect(503);
    expect(body.error.code).toBe('unavailable');
  });
});

describe('an embedding service of others', () => {
  test('that is not there, or gives vectors of another size, is reported', async () => {
    const nowhere = createOpenAiEmbedder({ apiKey: 'none', baseUrl: 'http://127.0.0.1:9/v1', model: 'any' });
    await expect(nowhere.embed(['a'], { kind: 'query', signal })).rejects.toMatchObject({
      code: 'unavailable',
    });
    const refusing = createOpenAiEmbedder({ apiKey: 'none', baseUrl: `${server.url}/v1`, model: 'any' });
    await expect(refusing.embed(['a'], { kind: 'query', signal })).rejects.toMatchObject({
      code: 'unavailable',
      retryable: false,
    });
    await expect(refusing.embed(['a'], { kind: 'query', signal: AbortSignal.abort() })).rejects.toMatchObject(
      { code: 'stopped' },
    );
  });
});
