import { randomUUID } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import type { Logger } from '../telemetry/logger.js';
import { inRequest } from '../telemetry/request-context.js';
import type { AnswerRunner } from './answer-runner.js';
import type { GiveFeedback } from './feedback.js';
import type { RequestLimiter } from './request-limiter.js';
import { isAllowedOrigin } from './same-origin.js';
import { serveSocket } from './socket-io-session.js';

export interface SocketLimits {
  /** Bytes of one event; a larger one closes the socket. */
  payloadBytes: number;
  /** Answers at a time that one socket may have asked for. */
  concurrentAnswers: number;
  /** Answers at a time that one socket may follow. */
  concurrentFollows: number;
}

const DEFAULT_LIMITS: SocketLimits = {
  payloadBytes: 17_000_000,
  concurrentAnswers: 4,
  concurrentFollows: 32,
};

export interface SocketIoServerOptions {
  httpServer: HttpServer;
  runner: AnswerRunner;
  giveFeedback: GiveFeedback;
  logger: Logger;
  /** Questions per socket; the caller is the socket's id. */
  questionLimiter: RequestLimiter;
  /** Events of any kind per socket; the caller is the socket's id. */
  eventLimiter: RequestLimiter;
  limits?: Partial<SocketLimits>;
  /** Pages of other sites that may connect: `https://shop.example`. None where absent. */
  allowedOrigins?: readonly string[];
}

export interface SocketIoServer {
  /** Sockets connected now. */
  readonly connected: number;
  /** Closes every socket. The HTTP server stays with its owner. */
  close(): void;
}

/** Serves the events of `socket-events.ts` in namespace `/`, and the browser client at `/socket.io/`. */
export function createSocketIoServer(options: SocketIoServerOptions): SocketIoServer {
  const { httpServer, logger, allowedOrigins = [] } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const io = new Server(httpServer, {
    maxHttpBufferSize: limits.payloadBytes,
    allowRequest: (request, decide) => decide(null, isAllowedOrigin(request.headers, allowedOrigins)),
  });
  io.on('connection', (socket) => {
    logger.debug('socket connected', { socketId: socket.id });
    const session = serveSocket(socket, { ...options, limits });
    socket.onAny((event: unknown, ...args: unknown[]) => {
      void inRequest(randomUUID(), () => session.receive(String(event), args));
    });
    socket.on('disconnect', (reason) => {
      logger.debug('socket disconnected', { socketId: socket.id, reason });
      session.close();
    });
  });
  return {
    get connected() {
      return io.of('/').sockets.size;
    },
    close() {
      // Not io.disconnectSockets(): a client that is told to go does not come back to the server that follows.
      io.engine.close();
    },
  };
}
