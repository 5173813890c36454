import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server, type ServerOptions, type Socket } from 'socket.io';
import { toPublicError } from '../errors.js';
import { type Authenticator, bearerToken, type Credentials } from '../identity/authenticator.js';
import type { Logger } from '../telemetry/logger.js';
import { inRequest } from '../telemetry/request-context.js';
import type { Access } from './access.js';
import type { AnswerRunner } from './answer-runner.js';
import type { GiveFeedback } from './feedback.js';
import type { DeskEvents, OperatorDesk } from './operator-desk.js';
import { conversationRoom, handoffRooms } from './operator-session.js';
import type { RequestLimiter } from './request-limiter.js';
import { isAllowedOrigin } from './same-origin.js';
import { type SocketSession, serveSocket } from './socket-io-session.js';
import { DROP_MS } from './stalled-client.js';

export interface SocketLimits {
  /** Bytes of one event; a larger one closes the socket. */
  payloadBytes: number;
  /** Answers at a time that one socket may follow. */
  concurrentFollows: number;
  /** How long a client may read nothing of what it is sent; then it is dropped. */
  stallMs: number;
  /** How long it then has to read why. */
  dropMs: number;
}

const DEFAULT_LIMITS: SocketLimits = {
  payloadBytes: 17_000_000,
  concurrentFollows: 32,
  stallMs: 20_000,
  dropMs: DROP_MS,
};

export interface SocketIoServerOptions {
  httpServer: HttpServer;
  runner: AnswerRunner;
  access: Access;
  authenticator: Authenticator;
  giveFeedback: GiveFeedback;
  desk: OperatorDesk;
  logger: Logger;
  /** Events of any kind per socket; the caller is the socket's id. */
  eventLimiter: RequestLimiter;
  limits?: Partial<SocketLimits>;
  /** Pages of other sites that may connect: `https://shop.example`. None where absent. */
  allowedOrigins?: readonly string[];
  /** How what is sent to rooms reaches sockets of other servers; this server's alone where absent. */
  adapter?: NonNullable<ServerOptions['adapter']>;
}

export interface SocketIoServer {
  /** Sockets connected now. */
  readonly connected: number;
  /**
   * Closes every socket once it has been sent what is there of the answers it follows; a slow one is cut off after a
   * second. Drain the runner first. The HTTP server stays with its owner.
   */
  close(): Promise<void>;
}

/** How long a slow client may take to read the rest. */
const CLOSE_MS = 1000;

/** Serves the events of `socket-events.ts` in namespace `/`, and the browser client at `/socket.io/`. */
export function createSocketIoServer(options: SocketIoServerOptions): SocketIoServer {
  const { httpServer, authenticator, logger, allowedOrigins = [] } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const io = new Server(httpServer, {
    maxHttpBufferSize: limits.payloadBytes,
    ...(allowedOrigins.length === 0 ? {} : { cors: { origin: [...allowedOrigins] } }),
    ...(options.adapter === undefined ? {} : { adapter: options.adapter }),
    allowRequest: (request, decide) => decide(null, isAllowedOrigin(request.headers, allowedOrigins)),
  });
  const stopTelling = tellRooms(io, options.desk);
  const sessions = new Map<Socket, SocketSession>();
  const identify = (socket: Socket) => authenticator.authenticate(credentialsOf(socket));
  io.use((socket, next) => {
    identify(socket).then(
      () => next(),
      (thrown: unknown) => next(toConnectError(thrown)),
    );
  });
  io.on('connection', (socket) => {
    logger.debug('socket connected', { socketId: socket.id });
    const session = serveSocket(socket, { ...options, identify: () => identify(socket), limits });
    sessions.set(socket, session);
    socket.onAny((event: unknown, ...args: unknown[]) => {
      void inRequest(randomUUID(), () => session.receive(String(event), args), {
        address: socket.handshake.address,
        socketId: socket.id,
      });
    });
    socket.on('disconnect', (reason) => {
      logger.debug('socket disconnected', { socketId: socket.id, reason });
      sessions.delete(socket);
      session.close();
    });
  });
  return {
    get connected() {
      return sessions.size;
    },
    async close() {
      stopTelling();
      const closing = [...sessions].map(([socket, session]) => finish(socket, session));
      await Promise.race([Promise.all(closing), sleep(CLOSE_MS, undefined, { ref: false })]);
      io.engine.close();
      await io.of('/').adapter.close();
    },
  };
}

/** A browser cannot send a header with a websocket: the token comes as `auth: {token}`, or in a header. */
function credentialsOf({ handshake }: Socket): Credentials {
  const { token } = handshake.auth as { token?: unknown };
  const { authorization, origin } = handshake.headers;
  return { token: typeof token === 'string' ? token : bearerToken(authorization), origin };
}

/** What socket.io hands to the client's `connect_error`: our error is in `data.error`. */
function toConnectError(thrown: unknown): Error {
  const error = toPublicError(thrown);
  return Object.assign(new Error(error.message), { data: { error } });
}

/** What happens at the desk is told to those who look at the conversation, on whatever server. */
function tellRooms(io: Server, { events }: OperatorDesk): () => void {
  const tell = {
    'handling-changed': (change: DeskEvents['handling-changed'][0]) =>
      io
        .to([conversationRoom(change.conversationId), ...handoffRooms(change)])
        .emit('handling-changed', change),
    'operator-message': (message: DeskEvents['operator-message'][0]) =>
      io.to(conversationRoom(message.conversationId)).emit('operator-message', message),
    'visitor-message': (message: DeskEvents['visitor-message'][0]) =>
      io
        .to([conversationRoom(message.conversationId), ...handoffRooms(message)])
        .emit('visitor-message', message),
  };
  for (const [event, listener] of Object.entries(tell))
    events.on(event as keyof DeskEvents, listener as never);
  return () => {
    for (const [event, listener] of Object.entries(tell))
      events.off(event as keyof DeskEvents, listener as never);
  };
}

/**
 * Closes the connection and does not tell the client to go: one that is told to does not come back to the server that
 * follows.
 */
async function finish({ conn }: Socket, session: SocketSession): Promise<void> {
  await session.settled();
  const closed = once(conn, 'close');
  conn.close();
  await closed;
}
