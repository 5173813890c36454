import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { createQdrantRequests } from '../../src/retrieve/qdrant-requests.js';

/** What the transport does with good and bad replies; the engine itself is tested on a real server. */
let server: Server | undefined;
const requests: IncomingMessage[] = [];

async function listen(answer: RequestListener): Promise<string> {
  requests.length = 0;
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const good = JSON.stringify({ result: { exists: true }, status: 'ok', time: 0 });
const replyWith =
  (...statuses: [number, Record<string, string>?][]): RequestListener =>
  (_, response) => {
    const [status, headers = {}] = statuses[Math.min(requests.length, statuses.length) - 1] ?? [200];
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(status === 200 ? good : JSON.stringify({ status: { error: 'secret details' } }));
  };
const ask = (url: string, options: { signal?: AbortSignal; timeout?: number; apiKey?: string } = {}) => {
  const { apiKey, timeout = 10_000, signal } = options;
  const { send } = createQdrantRequests({ urls: [url], ...(apiKey === undefined ? {} : { apiKey }) });
  return send((api, init) => api.collectionExists({ collection_name: 'a b/c' }, init), {
    timeout,
    ...(signal === undefined ? {} : { signal }),
  });
};

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

test('asks for replies that are not compressed', async () => {
  await ask(await listen(replyWith([200])));
  expect(requests[0]?.headers['accept-encoding']).toBe('identity');
});

test.each([500, 502, 503, 429])('repeats a request that was answered %i', async (status) => {
  const url = await listen(replyWith([status], [status, { 'retry-after': '0' }], [200]));
  expect(await ask(url)).toEqual({ exists: true });
  expect(requests).toHaveLength(3);
});

test('gives up after a few attempts, with the reason and the cause, and none of the server’s words', async () => {
  const url = await listen(replyWith([503]));
  const error = await ask(url).catch((thrown) => thrown);
  expect(error).toMatchObject({ name: 'AppError', code: 'unavailable', retryable: true });
  expect(error.message).not.toContain('secret');
  expect(error.cause).toBeInstanceOf(Error);
  expect(requests).toHaveLength(3);
});

test.each([
  [401, 'unavailable', 'The search engine refused our key.'],
  [403, 'unavailable', 'The search engine refused our key.'],
  [404, 'unavailable', 'The search engine has no such collection.'],
  [400, 'internal', 'The search engine refused a request.'],
  [409, 'conflict', 'The search engine has that already.'],
])('does not repeat what was answered %i', async (status, code, message) => {
  const url = await listen(replyWith([status]));
  await expect(ask(url)).rejects.toMatchObject({ code, message, retryable: false });
  expect(requests).toHaveLength(1);
});

test('repeats a request whose connection broke', async () => {
  const url = await listen((request, response) => {
    if (requests.length === 1) request.socket.destroy();
    else replyWith([200])(request, response);
  });
  expect(await ask(url)).toEqual({ exists: true });
});

test('says that nothing listens, or that no answer came in time', async () => {
  const url = await listen(() => undefined);
  await expect(ask(url, { timeout: 20 })).rejects.toMatchObject({
    code: 'unavailable',
    message: 'The search engine did not answer in time.',
  });
  await expect(ask('http://127.0.0.1:1')).rejects.toMatchObject({
    code: 'unavailable',
    message: 'The search engine cannot be reached.',
  });
});

test('stops a request, and the pause before the next, when its caller has gone', async () => {
  const controller = new AbortController();
  let hungUp: Promise<unknown> | undefined;
  const url = await listen((request) => {
    hungUp = once(request.socket, 'close');
    controller.abort();
  });
  await expect(ask(url, { signal: controller.signal })).rejects.toMatchObject({ code: 'stopped' });
  await hungUp;
  expect(requests).toHaveLength(1);
});

test('sends the key and keeps the path of the address, and writes nothing to the console', async () => {
  const spies = (['log', 'warn', 'error', 'info'] as const).map((name) => vi.spyOn(console, name));
  const url = await listen(replyWith([200]));
  await ask(`${url}/behind/a/proxy/`, { apiKey: 'key' });
  expect(requests[0]?.headers['api-key']).toBe('key');
  expect(requests[0]?.url).toBe('/behind/a/proxy/collections/a%20b%2Fc/exists');
  for (const spy of spies) {
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  }
});

test('touches no network before the first request', async () => {
  const url = await listen(replyWith([200]));
  createQdrantRequests({ urls: [url] });
  await ask(url);
  expect(requests).toHaveLength(1);
});

test('goes on to the next node where one cannot be reached, and keeps to it', async () => {
  const url = await listen(replyWith([200]));
  const { send, circuits } = createQdrantRequests({
    urls: ['http://127.0.0.1:1', url, 'http://127.0.0.1:2'],
  });
  for (let time = 0; time < 10; time += 1) {
    const asked = send((api, init) => api.collectionExists({ collection_name: 'x' }, init), {
      timeout: 10_000,
    });
    expect(await asked).toEqual({ exists: true });
  }
  expect(requests).toHaveLength(10);
  expect([...circuits.keys()]).toEqual(['127.0.0.1:1', new URL(url).host, '127.0.0.1:2']);
});

test('asks no more for a while after several failures in a row, and says for how long', async () => {
  const url = await listen(replyWith([503]));
  const { send, circuits } = createQdrantRequests({ urls: [url] });
  const asking = () =>
    send((api, init) => api.collectionExists({ collection_name: 'x' }, init), { timeout: 10_000 });
  await expect(asking()).rejects.toMatchObject({ message: 'The search engine has a problem of its own.' });
  await expect(asking()).rejects.toMatchObject({ message: 'The search engine has a problem of its own.' });
  expect(circuits.get(new URL(url).host)?.state).toBe('open');
  await expect(asking()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/asked again in [12] s/),
    retryAfterSeconds: expect.any(Number),
  });
  expect(requests).toHaveLength(5);
});
