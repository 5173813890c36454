import type { Socket } from 'socket.io';
import type { z } from 'zod';
import { AppError, toAppError, toPublicError } from '../errors.js';
import type { AnswerFrame } from '../frames.js';
import { type Identity, requireScope } from '../identity/identity.js';
import type { Logger } from '../telemetry/logger.js';
import type { Access } from './access.js';
import type { AnswerAddress, AnswerRunner } from './answer-runner.js';
import { createBell } from './bell.js';
import type { GiveFeedback } from './feedback.js';
import type { OperatorDesk } from './operator-desk.js';
import { conversationRoom, createOperatorHandlers } from './operator-session.js';
import { parseInput } from './parse-input.js';
import type { RequestLimiter } from './request-limiter.js';
import { type Ack, type ClientEvent, clientEvents } from './socket-events.js';
import { notReadInTime } from './stalled-client.js';

export interface SessionOptions {
  runner: AnswerRunner;
  access: Access;
  /** Who is at the other end now: tokens end. Throws what `Authenticator.authenticate` throws. */
  identify: () => Promise<Identity>;
  giveFeedback: GiveFeedback;
  desk: OperatorDesk;
  logger: Logger;
  eventLimiter: RequestLimiter;
  limits: { concurrentFollows: number; stallMs: number; dropMs: number };
}

/** What one socket may do and is sent. */
export interface SocketSession {
  /** Answers one event: by its ack where there is one, else by `request-failed` where it failed. Never rejects. */
  receive(event: string, args: unknown[]): Promise<void>;
  /** Resolves when the socket has been sent all of the answers it follows now. */
  settled(): Promise<void>;
  /** The socket is gone: it follows nothing any more. */
  close(): void;
}

/** Packets that wait for a slow client before its frames are held back. */
const MAX_WAITING_PACKETS = 32;

type AfterAck = () => void;
type Handler = (payload: unknown, identity: Identity) => Promise<{ reply: object; afterAck?: AfterAck }>;

export function serveSocket(socket: Socket, options: SessionOptions): SocketSession {
  const { runner, access, identify, giveFeedback, desk, logger, eventLimiter, limits } = options;
  const follows = new Map<string, AbortController>();
  const following = new Set<Promise<void>>();
  const outbox = createOutbox(socket, limits.stallMs);

  const input = <Event extends ClientEvent>(event: Event, payload: unknown) =>
    parseInput(clientEvents[event].payload, payload) as z.output<(typeof clientEvents)[Event]['payload']>;

  const follow = async (
    event: ClientEvent,
    { messageId }: AnswerAddress,
    afterSeq: number,
  ): Promise<void> => {
    follows.get(messageId)?.abort();
    const controller = new AbortController();
    const { signal } = controller;
    follows.set(messageId, controller);
    try {
      if (!socket.connected) controller.abort();
      await runner.deliver(messageId, afterSeq, (frame) => outbox.send(frame, signal), { signal });
    } catch (thrown) {
      logIfUnforeseen(event, thrown);
      socket.emit('request-failed', { event, messageId, error: toPublicError(thrown) });
      if (thrown === outbox.stalled) drop();
    } finally {
      if (follows.get(messageId) === controller) {
        follows.delete(messageId);
      }
    }
  };

  /** It may come back and go on after its last frame; the reason waits a moment for it to read. */
  const drop = (): void => {
    logger.info('A client did not read and was dropped.', { socketId: socket.id });
    setTimeout(() => socket.conn.close(true), limits.dropMs).unref();
  };

  const startFollowing = (...given: Parameters<typeof follow>): void => {
    const done = follow(...given).then(() => void following.delete(done));
    following.add(done);
  };

  const logIfUnforeseen = (event: string, thrown: unknown): void => {
    const error = toAppError(thrown);
    if (error.code === 'internal') logger.error('event failed', { event, socketId: socket.id, error });
  };

  const handlers: Record<ClientEvent, Handler> = {
    async 'question-ask'(payload, asker) {
      const question = input('question-ask', payload);
      const address = await runner.start(question, { asker });
      await socket.join(conversationRoom(address.conversationId));
      return { reply: address, afterAck: () => startFollowing('question-ask', address, -1) };
    },
    async 'answer-stop'(payload, identity) {
      const { messageId } = input('answer-stop', payload);
      await access.toMessage(identity, messageId);
      return { reply: { stopped: await runner.stop(messageId) } };
    },
    async 'answer-resume'(payload, identity) {
      const { messageId, afterSeq } = input('answer-resume', payload);
      if (!follows.has(messageId) && follows.size >= limits.concurrentFollows) throw tooManyAtATime();
      await access.toMessage(identity, messageId);
      const address = await runner.find(messageId);
      return { reply: address, afterAck: () => startFollowing('answer-resume', address, afterSeq) };
    },
    async 'feedback-give'(payload, giver) {
      await giveFeedback(payload, giver);
      return { reply: {} };
    },
    ...createOperatorHandlers({ desk, access, join: async (rooms) => socket.join(rooms) }),
  };

  return {
    async receive(event, args) {
      const acknowledge = typeof args.at(-1) === 'function' ? (args.pop() as (ack: Ack) => void) : undefined;
      try {
        await eventLimiter.take(socket.id);
        if (!Object.hasOwn(handlers, event)) throw new AppError('invalid', 'There is no such event.');
        const identity = await identify();
        requireScope(identity, clientEvents[event as ClientEvent].scopes);
        const { reply, afterAck } = await handlers[event as ClientEvent](args[0], identity);
        acknowledge?.({ ok: true, ...reply });
        afterAck?.();
      } catch (thrown) {
        logIfUnforeseen(event, thrown);
        const error = toPublicError(thrown);
        if (acknowledge !== undefined) acknowledge({ ok: false, error });
        else socket.emit('request-failed', { event, error });
      }
    },
    async settled() {
      await Promise.all(following);
    },
    close() {
      for (const controller of follows.values()) controller.abort();
    },
  };
}

function tooManyAtATime(): AppError {
  return new AppError('too-many-requests', 'Too many answers at a time.', { retryAfterSeconds: 1 });
}

/** Holds frames back while the client does not read, so that a slow one costs bounded memory. */
function createOutbox(socket: Socket, stallMs: number) {
  const { conn } = socket;
  const drained = createBell();
  const stalled = notReadInTime();
  let waiting = 0;
  conn.on('packetCreate', () => {
    waiting += 1;
  });
  conn.on('drain', () => {
    waiting = 0;
    drained.ring();
  });
  const sendOnceDrained = async (frame: AnswerFrame, signal: AbortSignal): Promise<void> => {
    await drained.wait({ signal, timeoutMs: stallMs });
    if (signal.aborted) return;
    if (waiting > MAX_WAITING_PACKETS) throw stalled;
    socket.emit('frame', frame);
  };
  return {
    stalled,
    /** Waits where the client does not read; throws `stalled` where it reads nothing for too long. */
    send(frame: AnswerFrame, signal: AbortSignal): Promise<void> | undefined {
      if (waiting > MAX_WAITING_PACKETS) return sendOnceDrained(frame, signal);
      socket.emit('frame', frame);
      return undefined;
    },
  };
}
