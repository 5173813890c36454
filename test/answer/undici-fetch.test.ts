import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { createFetch } from '../../src/answer/undici-fetch.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Answers the first `replies` requests of each connection; then it closes the connection instead. */
async function serve(replies: number): Promise<{ url: string; received: string[] }> {
  const received: string[] = [];
  const answered = new Map<Socket, number>();
  server = createServer(async (request, response) => {
    received.push(await readText(request));
    const before = answered.get(request.socket) ?? 0;
    answered.set(request.socket, before + 1);
    if (before >= replies) request.socket.destroy();
    else response.end('ok');
  });
  const listening = server;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}/`, received };
}

describe('A request to a model service', () => {
  it('that meets a connection as it is closed is sent once more, on a new one', async () => {
    const { url, received } = await serve(1);
    const fetch = createFetch({ connectMs: 5000 });
    const post = async (body: string): Promise<string> => (await fetch(url, { method: 'POST', body })).text();
    let sent = 0;
    for (; received.length === sent; sent += 1) expect(await post(`request ${sent}`)).toBe('ok');
    expect(received.slice(-2)).toEqual([`request ${sent - 1}`, `request ${sent - 1}`]);
  });

  it('that a service closes the connection on is not sent again and again', async () => {
    const { url, received } = await serve(0);
    const fetch = createFetch({ connectMs: 5000 });
    await expect(fetch(url, { method: 'POST', body: 'only' })).rejects.toThrow('fetch failed');
    expect(received).toEqual(['only']);
  });
});
