import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAccess } from '../../src/stream/access.js';
import { type AnswerRunner, createAnswerRunner } from '../../src/stream/answer-runner.js';
import { createGiveFeedback } from '../../src/stream/feedback.js';
import { createOperatorDesk } from '../../src/stream/operator-desk.js';
import { createRequestLimiter } from '../../src/stream/rate-limiter-flexible-limiter.js';
import { errorReplySchema, openAiErrorReplySchema } from '../../src/stream/reply-schemas.js';
import { clientEvents } from '../../src/stream/socket-events.js';
import { createSocketIoServer, type SocketIoServer } from '../../src/stream/socket-io-server.js';
import { createMemoryHandoffStore } from '../fakes/memory-handoff-store.js';
import { openDoor } from '../support/open-door.js';
import { type HttpTestServer, startHttpServer } from './http-server.js';
import { createKnowledgeBases, createMemoryLogger, echo, shop } from './scripted-answers.js';

/** The list of naughty strings lies outside the repository; where it is missing, these stand in for it. */
const LIST = new URL('../../../shared/data/attacks/naughty-strings.json', import.meta.url);
const STAND_INS = [
  '',
  ' ',
  '\0',
  '\ud800',
  '\u202e',
  '\u200b',
  'null',
  'NaN',
  '-1',
  '1e309',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  "'; DROP TABLE messages;--",
  '<script>alert(1)</script>',
  '{{7*7}}',
  '%s%n',
  '%00',
  '田中さん',
  '👩‍👩‍👧‍👦',
  'Ω≈ç√∫',
  '$(touch /tmp/x)',
  'x'.repeat(10_000),
  'א'.repeat(100),
  'ﷺ',
  '\uFEFF',
  '\r\nSet-Cookie: a=b',
];
const naughtyStrings: string[] = existsSync(LIST) ? JSON.parse(readFileSync(LIST, 'utf8')) : STAND_INS;

let http: HttpTestServer;
let runner: AnswerRunner;
let sockets: SocketIoServer;
let socketServer: Server;
let socket: Socket;

beforeAll(async () => {
  http = await startHttpServer();
  socketServer = createServer();
  runner = createAnswerRunner({
    pipeline: echo,
    conversations: http.store,
    knowledgeBases: createKnowledgeBases(shop),
    logger: createMemoryLogger(),
    limits: { running: 10_000 },
  });
  sockets = createSocketIoServer({
    httpServer: socketServer,
    runner,
    access: createAccess(http.store),
    authenticator: openDoor,
    giveFeedback: createGiveFeedback(http.store, createAccess(http.store)),
    desk: createOperatorDesk({ handoffs: createMemoryHandoffStore(), conversations: http.store }),
    logger: createMemoryLogger(),
    eventLimiter: createRequestLimiter({ perMinute: 1_000_000 }),
    limits: { concurrentFollows: 10_000 },
  });
  socketServer.listen(0, '127.0.0.1');
  await once(socketServer, 'listening');
  socket = io(`http://127.0.0.1:${(socketServer.address() as AddressInfo).port}`, { forceNew: true });
  await once(socket as never, 'connect');
});

afterAll(async () => {
  socket.disconnect();
  await sockets.close();
  socketServer.closeAllConnections();
  socketServer.close();
  await runner.drain({ timeoutMs: 5000 });
  await http.close();
});

async function send(method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(http.url + path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
  });
}

/** A success, or an error of the stated shape that is the client's. */
async function expectClearReply(response: Response): Promise<void> {
  const text = await response.text();
  if (response.ok) return;
  // 431 comes from the HTTP parser, before any route is known.
  const isOpenAi = /^\/v1\/(chat|models)/.test(new URL(response.url).pathname) && response.status !== 431;
  const schema = isOpenAi ? openAiErrorReplySchema : errorReplySchema;
  expect(() => schema.parse(JSON.parse(text)), text).not.toThrow();
  expect(response.status, `${response.url} ${text}`).toBeLessThan(500);
}

const bodiesWith = (value: unknown): [string, unknown][] => [
  ['/v1/answers', { knowledgeBase: value, text: 'x', conversationId: value, images: [value] }],
  ['/v1/chat/completions', { model: 'shop', messages: [{ role: 'user', content: value }] }],
  ['/v1/chat/completions', { model: value, messages: [{ role: value, content: 'x' }] }],
  ['/v1/search', { knowledgeBase: 'shop', query: value }],
  ['/v1/search', { knowledgeBase: 'shop', query: 'x', filter: { tags: [value], language: value } }],
  ['/v1/feedback', { messageId: value, verdict: value, comment: value }],
];

const pathsWith = (text: string): [string, string][] => {
  const part = encodeURIComponent(Buffer.from(text).toString());
  return [
    ['GET', `/${part}`],
    ['GET', `/v1/models/${part}`],
    ['GET', `/v1/conversations/${part}`],
    ['DELETE', `/v1/conversations/${part}`],
    ['GET', `/v1/conversations?limit=${part}`],
    ['GET', `/v1/messages/${part}/trace`],
    ['GET', `/v1/answers/${part}/frames?afterSeq=${part}`],
    ['DELETE', `/v1/answers/${part}`],
    ['GET', `/v1/knowledge-bases/${part}/documents`],
    ['GET', `/v1/knowledge-bases/shop/documents/${part}`],
    ['DELETE', `/v1/knowledge-bases/shop/documents/${part}`],
  ];
};

const eventsWith = (value: unknown): [string, unknown][] => [
  ['question-ask', { knowledgeBase: 'shop', text: value }],
  ['question-ask', { knowledgeBase: value, text: 'x', conversationId: value }],
  ['question-ask', value],
  ['answer-stop', { messageId: value }],
  ['answer-resume', { messageId: randomUUID(), afterSeq: value }],
  ['answer-resume', value],
  ['feedback-give', { messageId: value, verdict: 'up', comment: value }],
];

async function expectClearAck(event: string, payload: unknown): Promise<void> {
  const reply = await socket.timeout(20_000).emitWithAck(event, payload);
  if (Object.hasOwn(clientEvents, event)) {
    const { ack } = clientEvents[event as keyof typeof clientEvents];
    expect(() => ack.parse(reply), JSON.stringify(reply)).not.toThrow();
  }
  if (!reply.ok) expect(reply.error.code).not.toBe('internal');
}

const inBatches = async (
  strings: readonly string[],
  run: (text: string) => Promise<unknown>,
): Promise<void> => {
  for (let start = 0; start < strings.length; start += 20) {
    await Promise.all(strings.slice(start, start + 20).map(run));
  }
};

describe('Every naughty string', () => {
  it('in every field of every body gets an answer or a clear error', async () => {
    expect(naughtyStrings.length).toBeGreaterThan(20);
    await inBatches(naughtyStrings, async (text) => {
      for (const [path, body] of bodiesWith(text)) await expectClearReply(await send('POST', path, body));
    });
  });

  it('in every path, query and header gets an answer or a clear error', async () => {
    await inBatches(naughtyStrings, async (text) => {
      for (const [method, path] of pathsWith(text)) await expectClearReply(await send(method, path));
      const header = Buffer.from(text)
        .toString('latin1')
        .replace(/[^\t\x20-\x7e\x80-\xff]/g, '');
      await expectClearReply(
        await fetch(`${http.url}/v1/models`, {
          headers: { 'x-request-id': header, Accept: header, 'Last-Event-ID': header },
        }),
      );
    });
  });

  it('as the name and the content of an upload gets a result or a clear error', async () => {
    await inBatches(naughtyStrings, async (text) => {
      const body = new FormData();
      body.append(text, new Blob([text]), text);
      await expectClearReply(
        await fetch(`${http.url}/v1/knowledge-bases/shop/documents`, { method: 'POST', body }),
      );
    });
  });

  it('in every event, and as an event, gets an acknowledgement of the stated shape', async () => {
    const reserved = [
      'connect',
      'connect_error',
      'disconnect',
      'disconnecting',
      'newListener',
      'removeListener',
    ];
    await inBatches(naughtyStrings, async (text) => {
      for (const [event, payload] of eventsWith(text)) await expectClearAck(event, payload);
      if (!reserved.includes(text)) await expectClearAck(text, {});
    });
  });

  it('asked as a question comes back unchanged, where it is a question at all', async () => {
    await inBatches(naughtyStrings, async (text) => {
      const response = await send('POST', '/v1/answers', { knowledgeBase: 'shop', text });
      if (!response.ok) return expectClearReply(response);
      expect(await response.json()).toMatchObject({ text: `You asked: ${text}` });
    });
  });
});

describe('Anything at all', () => {
  const anything = fc.anything({ withNullPrototype: false, maxDepth: 3 }).map((value) => {
    try {
      return JSON.parse(JSON.stringify(value ?? null)) as unknown;
    } catch {
      return null;
    }
  });
  const runs = { numRuns: 100 };

  it('as a body, or in a field of one, gets an answer or a clear error', async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (value) => {
        for (const [path, body] of bodiesWith(value)) await expectClearReply(await send('POST', path, body));
        for (const path of ['/v1/answers', '/v1/chat/completions', '/v1/search', '/v1/feedback']) {
          await expectClearReply(await send('POST', path, value));
        }
      }),
      runs,
    );
  });

  it('as an event gets an acknowledgement of the stated shape', async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (value) => {
        for (const [event, payload] of eventsWith(value)) await expectClearAck(event, payload);
      }),
      runs,
    );
  });

  it('as raw bytes of a body gets a clear error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('/v1/answers', '/v1/search'),
        async (body, path) => {
          const headers = { 'Content-Type': 'application/json' };
          await expectClearReply(
            await fetch(http.url + path, { method: 'POST', headers, body: Buffer.from(body) }),
          );
        },
      ),
      runs,
    );
  });

  it('leaves the server well', async () => {
    expect((await send('GET', '/healthz')).status).toBe(200);
    expect(http.logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
