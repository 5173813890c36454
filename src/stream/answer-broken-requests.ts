import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { AppError, toPublicError } from '../errors.js';

/** What Node's parser refuses before a route can see it, by the error's code. */
const REFUSALS: Record<string, { status: string; error: AppError }> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    error: new AppError('too-large', 'The address or the headers of the request are too long.'),
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    error: new AppError('timeout', 'The request did not arrive in time.'),
  },
};
const MALFORMED = {
  status: '400 Bad Request',
  error: new AppError('invalid', 'This is no valid HTTP request.'),
};

/** Requests that are broken as HTTP get an error of the shape that all others have, instead of an empty reply. */
export function answerBrokenRequests(httpServer: Server): void {
  httpServer.on('clientError', (thrown: Error & { code?: string }, socket: Duplex) => {
    if (thrown.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const { status, error } = REFUSALS[thrown.code ?? ''] ?? MALFORMED;
    const body = JSON.stringify({ error: toPublicError(error) });
    socket.end(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
}
