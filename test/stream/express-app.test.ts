import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import request from 'supertest';
import { afterEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { createRequestLimiter } from '../../src/stream/rate-limiter-flexible-limiter.js';
import { errorReplySchema, healthReplySchema, readinessReplySchema } from '../../src/stream/reply-schemas.js';
import { currentRequestId } from '../../src/telemetry/request-context.js';
import { type HttpTestServer, startHttpServer } from './http-server.js';
import { createEndless, echo } from './scripted-answers.js';

let server: HttpTestServer;
afterEach(() => server.close());

const search = { knowledgeBase: 'shop', query: 'returns' };
type ErrorReply = z.infer<typeof errorReplySchema>;

/** Sends a path exactly as it is: other clients tidy it up first. */
function getRaw(path: string): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const sent = httpRequest({ hostname, port, path }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
    sent.on('error', reject).end();
  });
}

const nested = (depth: number): string => `{"query":${'['.repeat(depth)}${']'.repeat(depth)}}`;

describe('A bad request', () => {
  const body = Buffer.from(JSON.stringify(search));
  it.each<[string, Record<string, string>, Buffer | string, number, string]>([
    ['broken JSON', {}, '{"query":', 400, 'invalid'],
    ['JSON that is no object', {}, '"returns"', 400, 'invalid'],
    ['JSON that is null', {}, 'null', 400, 'invalid'],
    ['deeply nested JSON', {}, nested(200_000), 400, 'invalid'],
    ['no body', {}, '', 400, 'invalid'],
    [
      'broken UTF-8',
      {},
      Buffer.concat([body.subarray(0, -2), Buffer.from([0xff, 0xfe]), body.subarray(-2)]),
      400,
      'invalid',
    ],
    ['binary', {}, Buffer.from([0, 1, 2, 3, 254, 255]), 400, 'invalid'],
    [
      'another charset',
      { 'Content-Type': 'application/json; charset=gbk' },
      body,
      415,
      'unsupported-media-type',
    ],
    [
      'UTF-16',
      { 'Content-Type': 'application/json; charset=utf-16' },
      Buffer.from(String(body), 'utf16le'),
      415,
      'unsupported-media-type',
    ],
    [
      'a form',
      { 'Content-Type': 'application/x-www-form-urlencoded' },
      'query=returns',
      415,
      'unsupported-media-type',
    ],
    ['plain text', { 'Content-Type': 'text/plain' }, body, 415, 'unsupported-media-type'],
    [
      'multipart',
      { 'Content-Type': 'multipart/form-data; boundary=x' },
      '--x--',
      415,
      'unsupported-media-type',
    ],
    ['an unknown encoding', { 'Content-Encoding': 'rot13' }, body, 415, 'unsupported-media-type'],
    ['broken gzip', { 'Content-Encoding': 'gzip' }, body, 400, 'invalid'],
    ['a huge body', {}, JSON.stringify({ ...search, query: 'x'.repeat(600_000) }), 413, 'too-large'],
    [
      'a small body that unpacks to a huge one',
      { 'Content-Encoding': 'gzip' },
      gzipSync(Buffer.alloc(1_000_000, ' ')),
      413,
      'too-large',
    ],
  ])('with %s gets a clear error', async (_, headers, sent, status, code) => {
    server = await startHttpServer(echo, { limits: { bodyBytes: 500_000 } });
    const reply = await fetch(`${server.url}/v1/search`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: typeof sent === 'string' ? sent : Uint8Array.from(sent),
    });
    const replied = await reply.json();
    expect(errorReplySchema.strict().parse(replied)).toEqual(replied);
    expect({ status: reply.status, code: (replied as ErrorReply).error.code }).toEqual({ status, code });
  });

  it.each([
    ['GET', '/v1/answers', 'POST'],
    ['PUT', '/v1/search', 'POST'],
    ['POST', '/v1/knowledge-bases', 'GET'],
    ['DELETE', '/healthz', 'GET'],
    ['PATCH', '/v1/conversations/6f2b0cb5-8a6f-4b0f-9a3e-0b8d2f6a1c11', 'GET, DELETE'],
  ])('%s %s is told which methods there are', async (method, path, allowed) => {
    server = await startHttpServer();
    const reply = await fetch(server.url + path, { method });
    expect(reply.status).toBe(405);
    expect(reply.headers.get('allow')).toBe(allowed);
    expect(await reply.json()).toMatchObject({ error: { code: 'method-not-allowed' } });
  });

  it.each([
    ['/nowhere', 404],
    ['/v1/nowhere', 404],
    ['/../../../../etc/passwd', 404],
    ['/..%2f..%2f..%2fetc%2fpasswd', 404],
    ['/%2e%2e/%2e%2e/etc/passwd', 404],
    ['/.env', 404],
    ['/%00', 404],
    ['/v1/knowledge-bases/shop/documents/..%2f..%2fsecret', 400],
    ['/v1/knowledge-bases/shop/documents/en/../../secret', 400],
    ['/v1/knowledge-bases/shop/documents/a%5C..%5Cb', 400],
    ['/v1/knowledge-bases/..%2f..%2fetc/documents', 404],
    ['/v1/conversations/%E0%A4%A', 400],
    ['/v1/conversations/%FF', 400],
  ])('for %s gets %d', async (path, status) => {
    const folder = await mkdtemp(join(tmpdir(), 'askbase-page-'));
    await writeFile(join(folder, '.env'), 'SECRET=1');
    server = await startHttpServer(echo, { staticFolders: { '/': folder } });
    const reply = await getRaw(path);
    await rm(folder, { recursive: true });
    expect(reply.status).toBe(status);
    expect(errorReplySchema.strict().parse(reply.body)).toEqual(reply.body);
  });

  it('never learns what broke inside; the log does, with the request id', async () => {
    server = await startHttpServer();
    const reply = await request(server.url)
      .post('/v1/search')
      .set('x-request-id', 'abc-1')
      .send({ ...search, query: 'broken' })
      .expect(500);
    expect(JSON.stringify([reply.body, reply.headers])).not.toContain('hunter2');
    const line = server.logger.lines.find(({ level }) => level === 'error');
    expect(line?.fields.error).toMatchObject({ cause: { message: 'password=hunter2' } });
    expect(reply.headers['x-request-id']).toBe('abc-1');
  });
});

describe('The app', () => {
  it('says when to retry', async () => {
    server = await startHttpServer();
    const reply = await request(server.url)
      .post('/v1/search')
      .send({ ...search, query: 'down' })
      .expect(503);
    expect(reply.headers['retry-after']).toBe('3');
    expect(reply.body.error).toMatchObject({ code: 'unavailable', retryable: true, retryAfterSeconds: 3 });
  });

  it('limits the requests of an address, but not health and metrics', async () => {
    server = await startHttpServer(echo, { requestLimiter: createRequestLimiter({ perMinute: 1 }) });
    await request(server.url).post('/v1/search').send(search).expect(200);
    const { body, headers } = await request(server.url).post('/v1/search').send(search).expect(429);
    expect(body.error.code).toBe('too-many-requests');
    expect(Number(headers['retry-after'])).toBe(body.error.retryAfterSeconds);
    await request(server.url).get('/healthz').expect(200);
    await request(server.url).get('/metrics').expect(200);
  });

  it('gives every request an id: its own, unless that is no plain word', async () => {
    server = await startHttpServer();
    const id = async (given: string) =>
      (await request(server.url).get('/healthz').set('x-request-id', given)).headers['x-request-id'];
    expect(await id('trace.1_a-b')).toBe('trace.1_a-b');
    expect(await id('two words')).toMatch(/^[\da-f-]{36}$/);
    expect(await id('x'.repeat(200))).toMatch(/^[\da-f-]{36}$/);
  });

  it('runs everything that a request starts under its id, bodies read or not', async () => {
    const ids: unknown[] = [];
    server = await startHttpServer(
      (ask) => {
        ids.push(currentRequestId());
        return echo(ask);
      },
      {
        search: async () => {
          ids.push(currentRequestId());
          return { candidates: [], threshold: null, degraded: [] };
        },
      },
    );
    await request(server.url).post('/v1/search').set('x-request-id', 'one').send(search);
    await request(server.url)
      .post('/v1/answers')
      .set('x-request-id', 'two')
      .send({ knowledgeBase: 'shop', text: 'x' });
    expect(ids).toEqual(['one', 'two']);
  });

  it('lets browsers run only our own scripts and tells nobody what it is made of', async () => {
    server = await startHttpServer();
    const { headers } = await request(server.url).get('/healthz');
    expect(headers['content-security-policy']).toContain("script-src 'self'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['strict-transport-security']).toBeUndefined();
  });

  it('lets no page of another site change anything', async () => {
    server = await startHttpServer(echo, { allowedOrigins: ['https://shop.example'] });
    const post = (origin: string) =>
      request(server.url).post('/v1/search').set('Origin', origin).send(search);
    expect((await post('https://evil.example')).body.error.code).toBe('forbidden');
    expect((await post('null')).status).toBe(403);
    expect((await post('https://shop.example')).status).toBe(200);
    expect((await post(server.url)).status).toBe(200);
  });

  it('serves the page and hides dot files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'askbase-page-'));
    await writeFile(join(folder, 'index.html'), '<!doctype html><title>Askbase</title>');
    server = await startHttpServer(echo, { staticFolders: { '/': folder } });
    const { text } = await request(server.url).get('/').expect(200).expect('Content-Type', /html/);
    expect(text).toContain('Askbase');
    await rm(folder, { recursive: true });
  });
});

describe('Operations', () => {
  it('say that the process lives', async () => {
    server = await startHttpServer();
    const { body } = await request(server.url).get('/healthz').expect(200);
    expect(healthReplySchema.strict().parse(body)).toEqual(body);
  });

  it('say per dependency whether it is ready, with 503 and the reason where one is not', async () => {
    let reason: string | undefined;
    server = await startHttpServer(echo, {
      checkReadiness: async () => ({
        reranker: reason === undefined ? { ready: true, device: 'cpu' } : { ready: false, reason },
      }),
    });
    const ready = await request(server.url).get('/readyz').expect(200);
    expect(readinessReplySchema.strict().parse(ready.body)).toEqual(ready.body);
    expect(ready.body).toMatchObject({ ready: true, dependencies: { reranker: { device: 'cpu' } } });
    reason = 'cuda was asked for and is not in use';
    const { body } = await request(server.url).get('/readyz').expect(503);
    expect(body).toMatchObject({ ready: false, dependencies: { reranker: { reason } } });
  });

  it('say that the server is not ready while it drains', async () => {
    const endless = createEndless();
    server = await startHttpServer(endless.pipeline);
    await server.runner.start({ knowledgeBase: 'shop', text: 'x' });
    const drained = server.runner.drain({ timeoutMs: 1 });
    const { body } = await request(server.url).get('/readyz').expect(503);
    expect(body.dependencies.server).toEqual({ ready: false, reason: 'shutting down' });
    await drained;
  });

  it('count requests by the route that matched, never by what the client wrote', async () => {
    server = await startHttpServer();
    await request(server.url).get('/v1/conversations/6f2b0cb5-8a6f-4b0f-9a3e-0b8d2f6a1c11');
    await request(server.url).get('/secret-path');
    const { text } = await request(server.url)
      .get('/metrics')
      .expect('Content-Type', /text\/plain/);
    expect(text).toContain(
      'askbase_http_request_seconds_count{method="GET",route="/v1/conversations/:conversationId",status="404"} 1',
    );
    expect(text).not.toContain('secret-path');
  });
});
