import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFinalFrame } from '../../src/frames.js';
import type { Scope } from '../../src/identity/identity.js';
import { createSqliteStore } from '../../src/store/sqlite-store.js';
import { errorReplySchema } from '../../src/stream/reply-schemas.js';
import { createOpenApiDocument } from '../../src/stream/zod-to-openapi-document.js';
import { startTestApp, type TestApp } from '../support/app.js';
import { type IdentityProvider, startIdentityProvider } from '../support/identity-provider.js';
import { makeKeys, type TestKey } from '../support/keys.js';

const SHOP_PAGE = 'https://shop.example';
const QUESTION = { knowledgeBase: 'shop', text: 'How many days do I have to return an item?' };
const SINGLE: Scope[] = ['ask', 'search', 'ingest', 'operate'];

/** Every route but the open ones, with a body that is right, and the scopes that open it. */
const ROUTES: [method: string, path: string, scopes: Scope[], body?: object][] = [
  ['post', '/v1/answers', ['ask'], QUESTION],
  ['get', '/v1/answers/{messageId}/frames', ['ask', 'operate']],
  ['delete', '/v1/answers/{messageId}', ['ask', 'operate']],
  [
    'post',
    '/v1/chat/completions',
    ['ask'],
    { model: 'shop', messages: [{ role: 'user', content: QUESTION.text }] },
  ],
  ['get', '/v1/models', SINGLE],
  ['get', '/v1/models/{model}', SINGLE],
  ['post', '/v1/rerank', ['search'], { query: 'a', documents: ['b'] }],
  ['post', '/v2/rerank', ['search'], { query: 'a', documents: ['b'] }],
  ['post', '/rerank', ['search'], { query: 'a', documents: ['b'] }],
  ['post', '/v1/embeddings', ['search'], { input: 'a' }],
  ['post', '/v1/search', ['search'], { knowledgeBase: 'shop', query: 'return' }],
  ['post', '/v1/feedback', ['ask', 'operate'], { messageId: '{messageId}', verdict: 'up' }],
  ['get', '/v1/knowledge-bases', SINGLE],
  ['get', '/v1/knowledge-bases/{knowledgeBase}/documents', ['search', 'ingest']],
  ['post', '/v1/knowledge-bases/{knowledgeBase}/documents', ['ingest']],
  ['get', '/v1/knowledge-bases/{knowledgeBase}/documents/{documentId}', ['search', 'ingest']],
  ['delete', '/v1/knowledge-bases/{knowledgeBase}/documents/{documentId}', ['ingest']],
  ['get', '/v1/conversations', ['ask', 'operate']],
  ['delete', '/v1/conversations', ['ask', 'operate']],
  ['get', '/v1/conversations/{conversationId}', ['ask', 'operate']],
  ['delete', '/v1/conversations/{conversationId}', ['ask', 'operate']],
  ['get', '/v1/handoffs', ['operate']],
  ['post', '/v1/conversations/{conversationId}/takeover', ['operate'], { operator: 'Mei' }],
  ['post', '/v1/conversations/{conversationId}/messages', ['operate'], { text: 'I am here.' }],
  ['post', '/v1/conversations/{conversationId}/release', ['operate']],
  ['get', '/v1/messages/{messageId}/trace', ['search', 'operate']],
  ['get', '/v1/messages/{messageId}/trace/passages/{passageId}/explanation', ['search', 'operate']],
  ['post', '/v1/visitor-tokens', ['ask'], { knowledgeBases: ['shop'], origins: [SHOP_PAGE] }],
  ['get', '/metrics', ['operate']],
];
const OPEN = ['get /healthz', 'get /readyz', 'get /openapi.json', 'get /asyncapi.json'];

let provider: IdentityProvider;
let running: TestApp;
let keys: Record<Scope | 'shop' | 'shopToo' | 'other' | 'revoked', TestKey>;
/** Of the tenant `shop`. */
let answer: { conversationId: string; messageId: string };

beforeAll(async () => {
  provider = await startIdentityProvider();
  running = await startTestApp({
    env: {
      ALLOWED_ORIGINS: SHOP_PAGE,
      JWT_JWKS_URL: provider.jwksUrl,
      JWT_ISSUER: provider.issuer,
      JWT_AUDIENCE: 'askbase',
    },
  });
  keys = await makeKeys(running.dir, {
    ask: { scopes: ['ask'] },
    search: { scopes: ['search'] },
    ingest: { scopes: ['ingest'] },
    operate: { scopes: ['operate'] },
    admin: { scopes: ['admin'] },
    shop: { scopes: ['ask', 'search', 'ingest'], knowledgeBases: ['shop'], tenant: 'shop' },
    shopToo: { scopes: ['ask', 'search'], knowledgeBases: ['shop'], tenant: 'shop' },
    other: { scopes: ['admin'], knowledgeBases: ['other'], tenant: 'other' },
    revoked: { scopes: ['admin'], revokedAt: '2026-01-01T00:00:00.000Z' },
  });
  ({ body: answer } = await send('post', '/v1/answers', keys.shop.key, QUESTION).expect(200));
});
afterAll(async () => {
  await running.close();
  provider.close();
});

function send(method: string, path: string, token?: string, body?: object): request.Test {
  const test = request(running.url)[method as 'get'](fill(path));
  if (token !== undefined) test.set('authorization', `Bearer ${token}`);
  return body === undefined ? test : test.send(JSON.parse(fill(JSON.stringify(body))));
}

/** Addresses of things that are there, and belong to the tenant `shop`. */
function fill(text: string): string {
  return text
    .replace('{messageId}', answer?.messageId)
    .replace('{conversationId}', answer?.conversationId)
    .replace('{passageId}', randomUUID())
    .replace('{knowledgeBase}', 'shop')
    .replace('{model}', 'shop')
    .replace('{documentId}', 'en/returns.md');
}

async function connect(token: string | undefined, headers: object = {}): Promise<Socket> {
  const socket = io(running.url, {
    forceNew: true,
    reconnection: false,
    auth: { token },
    extraHeaders: headers as Record<string, string>,
  });
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.once('connect_error', (error) => {
      socket.close();
      reject(error);
    });
  });
}

describe('every route', () => {
  it('is in the table of this test', () => {
    const { paths } = createOpenApiDocument('x') as { paths: Record<string, object> };
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect([...ROUTES.map(([method, path]) => `${method} ${path}`), ...OPEN].sort()).toEqual(
      documented.sort(),
    );
  });

  it.each(ROUTES)('%s %s asks for a key that is in force', async (method, path, _scopes, body) => {
    const wrong = keys.ask.key.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    for (const token of [
      undefined,
      'none',
      wrong,
      keys.revoked.key,
      `ask_${'0'.repeat(16)}_${'a'.repeat(43)}`,
    ]) {
      const response = await send(method, path, token, body);
      expect(response.status, `${method} ${path} ${token}`).toBe(401);
      expect(response.headers['www-authenticate']).toBe('Bearer');
      expect(errorReplySchema.parse(response.body).error.code).toBe('unauthorized');
    }
  });

  it.each(ROUTES)('%s %s opens to the right scopes only', async (method, path, scopes, body) => {
    for (const scope of SINGLE) {
      const { status } = await send(method, path, keys[scope].key, body);
      if (scopes.includes(scope)) expect([401, 403], `${scope}: ${status}`).not.toContain(status);
      else expect(status, scope).toBe(403);
    }
    // What the other scopes do here was done above; what deletes must not run before the rest.
    if (method !== 'delete')
      expect([401, 403]).not.toContain((await send(method, path, keys.admin.key, body)).status);
  });

  it.each(OPEN)('%s needs no key', async (route) => {
    const [method = '', path = ''] = route.split(' ');
    await send(method, path).expect(200);
  });
});

describe('another tenant', () => {
  // A conversation and a document that no test above has deleted.
  beforeAll(async () => {
    ({ body: answer } = await send('post', '/v1/answers', keys.shop.key, QUESTION).expect(200));
  });

  it.each(ROUTES.filter(([, path]) => path.includes('{') || path === '/v1/feedback'))(
    'finds nothing at %s %s, whatever its scopes',
    async (method, path, _scopes, body) => {
      const response = await send(method, path, keys.other.key, body);
      expect(response.status).toBe(404);
      expect(JSON.stringify(response.body)).not.toContain('return');
    },
  );

  it('cannot ask, search or have a token made for a knowledge base that is not its own', async () => {
    await send('post', '/v1/answers', keys.other.key, QUESTION).expect(404);
    await send('post', '/v1/search', keys.other.key, { knowledgeBase: 'shop', query: 'return' }).expect(404);
    const completion = { model: 'shop', messages: [{ role: 'user', content: 'x' }] };
    await send('post', '/v1/chat/completions', keys.other.key, completion).expect(404);
    const grant = { knowledgeBases: ['shop'], origins: [SHOP_PAGE] };
    await send('post', '/v1/visitor-tokens', keys.other.key, grant).expect(404);
  });

  it('is shown its own knowledge bases and conversations only', async () => {
    const bases = await send('get', '/v1/knowledge-bases', keys.other.key).expect(200);
    expect(bases.body.knowledgeBases.map(({ id }: { id: string }) => id)).toEqual(['other']);
    const models = await send('get', '/v1/models', keys.other.key).expect(200);
    expect(models.body.data.map(({ id }: { id: string }) => id)).toEqual(['other']);
    const conversations = await send('get', '/v1/conversations', keys.other.key).expect(200);
    expect(conversations.body.conversations).toEqual([]);
  });

  it('cannot go on with, follow, stop or judge a conversation over a socket', async () => {
    const socket = await connect(keys.other.key);
    const { conversationId, messageId } = answer;
    const refused = { ok: false, error: { code: 'not-found' } };
    expect(await socket.emitWithAck('question-ask', { ...QUESTION, conversationId })).toMatchObject(refused);
    expect(await socket.emitWithAck('answer-resume', { messageId, afterSeq: -1 })).toMatchObject(refused);
    expect(await socket.emitWithAck('answer-stop', { messageId })).toMatchObject(refused);
    expect(await socket.emitWithAck('feedback-give', { messageId, verdict: 'up' })).toMatchObject(refused);
    const takeover = { conversationId, operator: 'Mei' };
    expect(await socket.emitWithAck('conversation-takeover', takeover)).toMatchObject(refused);
    expect(await socket.emitWithAck('operator-write', { conversationId, text: 'x' })).toMatchObject(refused);
    expect(await socket.emitWithAck('conversation-release', { conversationId })).toMatchObject(refused);
    expect(await socket.emitWithAck('conversation-watch', { conversationId })).toMatchObject(refused);
    socket.close();
  });

  it('of the same knowledge base sees no conversation of the first, and a second key of the first does', async () => {
    const { conversationId } = answer;
    await send('get', '/v1/conversations/{conversationId}', keys.ask.key).expect(404);
    await send('post', '/v1/answers', keys.ask.key, { ...QUESTION, conversationId }).expect(404);
    await send('get', '/v1/conversations/{conversationId}', keys.shopToo.key).expect(200);
    await send('post', '/v1/answers', keys.shopToo.key, { ...QUESTION, conversationId }).expect(200);
    await send('get', '/v1/conversations/{conversationId}', keys.operate.key).expect(200);
  });
});

describe('a socket', () => {
  it('is refused without a key, with the error in connect_error', async () => {
    for (const token of [undefined, 'none', keys.revoked.key]) {
      await expect(connect(token)).rejects.toMatchObject({ data: { error: { code: 'unauthorized' } } });
    }
  });

  it('may do what its scopes say, in every event', async () => {
    const socket = await connect(keys.search.key);
    const messageId = randomUUID();
    const events = {
      'question-ask': QUESTION,
      'answer-stop': { messageId },
      'answer-resume': { messageId, afterSeq: -1 },
      'feedback-give': { messageId, verdict: 'up' },
      'handoffs-watch': {},
      'conversation-watch': { conversationId: messageId },
      'conversation-takeover': { conversationId: messageId, operator: 'Mei' },
      'operator-write': { conversationId: messageId, text: 'x' },
      'conversation-release': { conversationId: messageId },
    };
    for (const [event, payload] of Object.entries(events)) {
      expect(await socket.emitWithAck(event, payload), event).toMatchObject({
        ok: false,
        error: { code: 'forbidden' },
      });
    }
    socket.close();
  });

  it('takes the key from a header too, and streams an answer', async () => {
    const socket = await connect(undefined, { authorization: `Bearer ${keys.shop.key}` });
    const final = new Promise((resolve) => {
      socket.on('frame', (frame) => isFinalFrame(frame) && resolve(frame));
    });
    expect(await socket.emitWithAck('question-ask', QUESTION)).toMatchObject({ ok: true });
    expect(await final).toMatchObject({ type: 'answer-completed' });
    socket.close();
  });

  it('loses its rights when its key is revoked, without reconnecting', async () => {
    const { brief } = await makeKeys(running.dir, { brief: { scopes: ['ask'] } });
    const socket = await connect(brief.key);
    expect(await socket.emitWithAck('question-ask', QUESTION)).toMatchObject({ ok: true });
    const store = await createSqliteStore({ file: join(running.dir, 'data/store.db') });
    await store.revokeKey(brief.id, new Date().toISOString());
    await store.close();
    const refused = { ok: false, error: { code: 'unauthorized' } };
    expect(await socket.emitWithAck('question-ask', QUESTION)).toMatchObject(refused);
    socket.close();
  });
});

describe('a visitor token', () => {
  const grant = { knowledgeBases: ['shop'], origins: [SHOP_PAGE] };

  it('lets a page of its origins ask and see its own conversations, and nothing else', async () => {
    const { body: made } = await send('post', '/v1/visitor-tokens', keys.shop.key, grant).expect(200);
    const asked = await send('post', '/v1/answers', made.token, QUESTION)
      .set('origin', SHOP_PAGE)
      .expect(200);
    expect(asked.headers['access-control-allow-origin']).toBe(SHOP_PAGE);
    const own = `/v1/conversations/${asked.body.conversationId}`;
    await send('get', own, made.token).set('origin', SHOP_PAGE).expect(200);
    await send('get', '/v1/conversations/{conversationId}', made.token).expect(404);
    await send('get', own, keys.shop.key).expect(404);
    await send('post', '/v1/search', made.token, { knowledgeBase: 'shop', query: 'x' }).expect(403);
    await send('post', '/v1/visitor-tokens', made.token, grant).expect(403);
    await send('post', '/v1/answers', made.token, { ...QUESTION, knowledgeBase: 'other' }).expect(404);
    const { body: later } = await send('post', '/v1/visitor-tokens', keys.shop.key, {
      ...grant,
      visitorId: made.visitorId,
    });
    await send('delete', own, later.token).set('origin', SHOP_PAGE).expect(204);
    await send('post', '/v1/answers', later.token, QUESTION).expect(200);
    const others = `/v1/conversations?owner=tenant:shop`;
    await send('delete', others, later.token).expect(403);
    await send('delete', '/v1/conversations', later.token).expect(200, { deleted: 1 });
    await send('post', '/v1/answers', later.token, QUESTION).expect(200);
    const onRequest = `/v1/conversations?owner=visitor:shop:${made.visitorId}`;
    await send('delete', onRequest, keys.operate.key).expect(200, { deleted: 1 });
  });

  it('is refused on other pages, over HTTP and socket.io', async () => {
    const { body: made } = await send('post', '/v1/visitor-tokens', keys.shop.key, grant).expect(200);
    const elsewhere = 'https://evil.example';
    await send('post', '/v1/answers', made.token, QUESTION).set('origin', elsewhere).expect(403);
    await send('get', '/v1/models', made.token).set('origin', elsewhere).expect(403);
    await expect(connect(made.token, { origin: elsewhere })).rejects.toThrow();
    const socket = await connect(made.token, { origin: SHOP_PAGE });
    expect(await socket.emitWithAck('question-ask', QUESTION)).toMatchObject({ ok: true });
    socket.close();
  });

  it('is made for allowed origins only', async () => {
    const body = { ...grant, origins: ['https://evil.example'] };
    const { body: refusal } = await send('post', '/v1/visitor-tokens', keys.shop.key, body).expect(400);
    expect(refusal.error.message).toContain('ALLOWED_ORIGINS');
  });

  it('signed by somebody else, changed or unsigned is refused', async () => {
    const { body: made } = await send('post', '/v1/visitor-tokens', keys.shop.key, grant).expect(200);
    const [header, payload = '', signature] = made.token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const widened = Buffer.from(JSON.stringify({ ...claims, knowledgeBases: ['other'] })).toString(
      'base64url',
    );
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
    for (const token of [`${header}.${widened}.${signature}`, `${unsigned}.${payload}.`]) {
      await send('get', '/v1/models', token).expect(401);
    }
  });

  it('ends with the key behind it', async () => {
    const { brief } = await makeKeys(running.dir, { brief: { scopes: ['ask'] } });
    const { body: made } = await send('post', '/v1/visitor-tokens', brief.key, grant).expect(200);
    await send('get', '/v1/models', made.token).expect(200);
    const store = await createSqliteStore({ file: join(running.dir, 'data/store.db') });
    await store.revokeKey(brief.id, new Date().toISOString());
    await store.close();
    await send('get', '/v1/models', made.token).expect(401);
  });
});

describe('a token of the identity provider', () => {
  it('opens what its claims say, and its conversations are its own', async () => {
    const token = await provider.sign({ sub: 'mia', scope: 'openid askbase:ask', knowledge_bases: ['shop'] });
    const { body } = await send('post', '/v1/answers', token, QUESTION).expect(200);
    await send('get', `/v1/conversations/${body.conversationId}`, token).expect(200);
    await send('get', '/v1/conversations/{conversationId}', token).expect(404);
    await send('post', '/v1/search', token, { knowledgeBase: 'shop', query: 'x' }).expect(403);
    await send('get', '/v1/models/other', token).expect(404);
    const same = await provider.sign({ sub: 'mia', scp: ['ask'], knowledge_bases: '*' });
    await send('get', `/v1/conversations/${body.conversationId}`, same).expect(200);
  });

  it('for another audience, expired, from another provider, or without a subject is refused', async () => {
    const claims = { sub: 'mia', scope: 'ask', knowledge_bases: '*' };
    const stranger = await startIdentityProvider();
    const tokens = [
      await provider.sign(claims, { audience: 'billing' }),
      await provider.sign(claims, { expiresIn: '-1m' }),
      await provider.sign({ scope: 'ask' }),
      await stranger.sign(claims),
    ];
    stranger.close();
    for (const token of tokens) await send('get', '/v1/models', token).expect(401);
  });

  it('grants nothing that it does not say', async () => {
    const token = await provider.sign({ sub: 'mia' });
    const { body } = await send('get', '/v1/models', token).expect(200);
    expect(body.data).toEqual([]);
    await send('post', '/v1/answers', token, QUESTION).expect(403);
  });
});

describe('a preflight', () => {
  const ask = (origin: string): request.Test =>
    request(running.url).options('/v1/answers').set({
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    });

  it('is granted to allowed origins only', async () => {
    const granted = await ask(SHOP_PAGE).expect(204);
    expect(granted.headers['access-control-allow-origin']).toBe(SHOP_PAGE);
    expect(granted.headers['access-control-allow-headers']).toContain('Authorization');
    const refused = await ask('https://evil.example');
    expect(refused.headers['access-control-allow-origin']).toBeUndefined();
  });
});

it('keeps no secret of a key: not in the store, not in what lists them', async () => {
  const secret = keys.shop.key.slice(`ask_${keys.shop.id}_`.length);
  expect(secret).toHaveLength(43);
  const store = await createSqliteStore({ file: join(running.dir, 'data/store.db') });
  const stored = JSON.stringify(await store.listKeys());
  await store.close();
  expect(stored).toContain(keys.shop.id);
  expect(stored).not.toContain(secret);
});
