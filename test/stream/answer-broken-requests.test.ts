import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { errorReplySchema } from '../../src/stream/reply-schemas.js';
import { startHttpServer } from './http-server.js';

async function send(url: string, bytes: string): Promise<{ status: number; body: unknown }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end(bytes);
  const reply = await text(socket);
  const [head = '', body = ''] = reply.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), body: JSON.parse(body) };
}

describe('a request that is broken as HTTP', async () => {
  const http = await startHttpServer();

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'invalid'],
    [
      'an address of 20,000 characters',
      `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      431,
      'too-large',
    ],
    [
      'headers of 20,000 characters',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'too-large',
    ],
  ])('%s gets an error of the stated shape', async (_what, bytes, status, code) => {
    const reply = await send(http.url, bytes);
    expect(reply.status).toBe(status);
    expect(errorReplySchema.parse(reply.body).error.code).toBe(code);
  });
});
