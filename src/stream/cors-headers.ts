import type { IncomingMessage, ServerResponse } from 'node:http';
import cors from 'cors';

type Middleware = (
  request: IncomingMessage & { method: string },
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** Lets the pages of these origins read our replies. Tokens go in a header, never in cookies. */
export function createCorsHeaders(allowedOrigins: readonly string[]): Middleware {
  return cors({
    origin: [...allowedOrigins],
    methods: ['GET', 'POST', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Last-Event-ID', 'X-Request-Id'],
    exposedHeaders: ['Retry-After', 'X-Request-Id'],
    maxAge: 600,
  }) as Middleware;
}
