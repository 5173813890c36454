import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.js';
import { type AnswerFrame, frameSchema, isFinalFrame } from '../../src/frames.js';
import type { Feedback } from '../../src/store/feedback-store.js';
import { createAccess } from '../../src/stream/access.js';
import type { Share } from '../../src/stream/answer-quota.js';
import { type AnswerRunner, createAnswerRunner } from '../../src/stream/answer-runner.js';
import { createGiveFeedback } from '../../src/stream/feedback.js';
import { createOperatorDesk } from '../../src/stream/operator-desk.js';
import { createRequestLimiter } from '../../src/stream/rate-limiter-flexible-limiter.js';
import { createAnswerQuota } from '../../src/stream/rate-limiter-flexible-quota.js';
import type { Pipeline } from '../../src/stream/run-answer.js';
import { clientEvents, serverEvents } from '../../src/stream/socket-events.js';
import {
  createSocketIoServer,
  type SocketIoServer,
  type SocketIoServerOptions,
} from '../../src/stream/socket-io-server.js';
import { createMemoryConversationStore } from '../fakes/memory-conversation-store.js';
import { createMemoryHandoffStore } from '../fakes/memory-handoff-store.js';
import { openDoor } from '../support/open-door.js';
import {
  completed,
  createEndless,
  createGate,
  createKnowledgeBases,
  createMemoryLogger,
  delta,
  echo,
  PASSAGE_ID,
  shop,
  started,
} from './scripted-answers.js';

/** More than any of these tests asks for. */
const share: Share = { questionsPerMinute: 10_000, tokensPerMinute: 1e9, answersAtOnce: 10_000 };

type Reply = { ok: boolean; [field: string]: unknown };

interface Served {
  url: string;
  runner: AnswerRunner;
  feedback: Feedback[];
  sockets: SocketIoServer;
  logger: ReturnType<typeof createMemoryLogger>;
  connect(options?: object): Promise<Socket>;
}

const closings: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});

async function serve(
  pipeline: Pipeline = echo,
  options: Partial<SocketIoServerOptions> & { share?: Partial<Share>; graceMs?: number } = {},
): Promise<Served> {
  const httpServer = createServer((_request, response) => response.writeHead(404).end());
  const logger = createMemoryLogger();
  const feedback: Feedback[] = [];
  const conversations = createMemoryConversationStore();
  const access = createAccess(conversations);
  const runner = createAnswerRunner({
    pipeline,
    conversations,
    knowledgeBases: createKnowledgeBases(shop),
    logger,
    limits: { graceMs: options.graceMs ?? 60_000 },
    quota: createAnswerQuota({ socket: { ...share, ...options.share }, address: share, key: share }),
  });
  const giveFeedback = createGiveFeedback(
    {
      async giveFeedback(given) {
        feedback.push(given);
      },
    },
    access,
  );
  const sockets = createSocketIoServer({
    httpServer,
    runner,
    access,
    authenticator: openDoor,
    giveFeedback,
    desk: createOperatorDesk({
      handoffs: createMemoryHandoffStore(),
      conversations: createMemoryConversationStore(),
    }),
    logger,
    eventLimiter: createRequestLimiter({ perMinute: 100_000 }),
    ...options,
  });
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  const url = `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`;
  closings.push(async () => {
    await sockets.close();
    httpServer.closeAllConnections();
    httpServer.close();
    await runner.drain({ timeoutMs: 1 });
  });
  return {
    url,
    runner,
    feedback,
    sockets,
    logger,
    async connect(clientOptions = {}) {
      const socket = io(url, { forceNew: true, reconnection: false, ...clientOptions });
      closings.push(() => socket.disconnect());
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve).once('connect_error', reject);
      });
      return socket;
    },
  };
}

const question = { knowledgeBase: 'shop', text: 'How long?' };

const send = (socket: Socket, event: string, ...payload: unknown[]): Promise<Reply> =>
  socket.timeout(10_000).emitWithAck(event, ...payload);

/** All frames up to a final one, from now on. */
function collectFrames(socket: Socket): Promise<AnswerFrame[]> {
  return new Promise((resolve) => {
    const frames: AnswerFrame[] = [];
    const take = (frame: AnswerFrame): void => {
      frames.push(frame);
      if (!isFinalFrame(frame)) return;
      socket.off('frame', take);
      resolve(frames);
    };
    socket.on('frame', take);
  });
}

const nextFailure = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => socket.once('request-failed', resolve));

describe('question-ask', () => {
  it.each(['websocket', 'polling'])(
    'is acknowledged, then answered by frames, over %s',
    async (transport) => {
      const socket = await (await serve()).connect({ transports: [transport] });
      const collecting = collectFrames(socket);
      const reply = await send(socket, 'question-ask', question);
      expect(clientEvents['question-ask'].ack.parse(reply)).toEqual(reply);
      const frames = await collecting;
      for (const [index, frame] of frames.entries()) {
        expect(frameSchema.parse(frame)).toEqual(frame);
        expect(frame).toMatchObject({
          seq: index,
          messageId: reply.messageId,
          conversationId: reply.conversationId,
        });
      }
      expect(frames.at(-1)).toMatchObject({ type: 'answer-completed', text: 'You asked: How long?' });
    },
  );

  it('works without an ack', async () => {
    const socket = await (await serve()).connect();
    const collecting = collectFrames(socket);
    socket.emit('question-ask', question);
    expect((await collecting).at(-1)).toMatchObject({ type: 'answer-completed' });
  });

  it('is refused above the questions of a minute, with a hint when to retry', async () => {
    const socket = await (await serve(echo, { share: { questionsPerMinute: 2 } })).connect();
    const replies = [];
    for (let index = 0; index < 3; index += 1) {
      const collecting = collectFrames(socket);
      replies.push(await send(socket, 'question-ask', question));
      if (index < 2) await collecting;
    }
    expect(replies.map(({ ok }) => ok)).toEqual([true, true, false]);
    expect(replies[2]?.error).toMatchObject({
      code: 'too-many-requests',
      retryable: true,
      retryAfterSeconds: expect.any(Number),
    });
  });

  it('is refused while too many answers run for the socket, however often they are resumed', async () => {
    const endless = createEndless();
    const socket = await (await serve(endless.pipeline, { share: { answersAtOnce: 1 } })).connect();
    const { messageId } = await send(socket, 'question-ask', question);
    await send(socket, 'answer-resume', { messageId, afterSeq: -1 });
    expect(await send(socket, 'question-ask', question)).toMatchObject({
      ok: false,
      error: { code: 'too-many-requests', retryAfterSeconds: 2 },
    });
  });

  it('is answered a thousand times on one socket: each is accepted or clearly refused, none is lost', async () => {
    const { connect } = await serve(echo, { share: { answersAtOnce: 4 } });
    const socket = await connect();
    const texts = new Map<unknown, string>();
    socket.on('frame', (frame: AnswerFrame) => {
      if (frame.type === 'answer-completed') texts.set(frame.messageId, frame.text);
    });
    const replies = await Promise.all(
      Array.from({ length: 1000 }, (_, index) =>
        send(socket, 'question-ask', { ...question, text: `Question ${index}` }),
      ),
    );
    const accepted = replies.filter(({ ok }) => ok);
    const refused = replies.filter(({ ok }) => !ok);
    expect(accepted.length).toBeGreaterThan(0);
    for (const { error } of refused) expect(error).toMatchObject({ code: 'too-many-requests' });
    await expect.poll(() => texts.size).toBe(accepted.length);
    for (const [index, reply] of replies.entries()) {
      if (reply.ok) expect(texts.get(reply.messageId)).toBe(`You asked: Question ${index}`);
    }
    const collecting = collectFrames(socket);
    expect(await send(socket, 'question-ask', question)).toMatchObject({ ok: true });
    expect((await collecting).at(-1)).toMatchObject({ type: 'answer-completed' });
  });
});

describe('Bad events', () => {
  it.each([
    ['an unknown event', 'no-such-event', {}],
    ['an event named like a method', 'toString', {}],
    ['an event named error', 'error', {}],
    ['an event named like a prototype', '__proto__', {}],
    ['a question without a payload', 'question-ask', undefined],
    ['a question that is a string', 'question-ask', 'How long?'],
    ['a question that is a list', 'question-ask', [question]],
    ['a question with binary text', 'question-ask', { ...question, text: Buffer.from('x') }],
    ['a question with a prototype', 'question-ask', JSON.parse('{"__proto__": {"text": "x"}}')],
    ['a stop without a message', 'answer-stop', {}],
    ['a resume with a seq of the wrong type', 'answer-resume', { messageId: randomUUID(), afterSeq: '3' }],
    ['a resume before the first frame', 'answer-resume', { messageId: randomUUID(), afterSeq: -2 }],
    ['a verdict that does not exist', 'feedback-give', { messageId: randomUUID(), verdict: 'sideways' }],
  ])('get a clear error: %s', async (_, event, payload) => {
    const socket = await (await serve()).connect();
    const reply = await send(socket, event, ...(payload === undefined ? [] : [payload]));
    expect(reply).toMatchObject({ ok: false, error: { code: 'invalid', retryable: false } });
    const failing = nextFailure(socket);
    socket.emit(event, payload);
    const failure = await failing;
    expect(serverEvents['request-failed'].payload.parse(failure)).toEqual(failure);
    expect(failure).toMatchObject({ event, error: { code: 'invalid' } });
  });

  it.each([
    ['answer-stop', {}],
    ['answer-resume', { afterSeq: -1 }],
    ['feedback-give', { verdict: 'up' }],
  ])('%s of an unknown message is not found', async (event, fields) => {
    const socket = await (await serve()).connect();
    const reply = await send(socket, event, { messageId: randomUUID(), ...fields });
    expect(reply).toMatchObject({ ok: false, error: { code: 'not-found' } });
  });

  it('close the socket that sends more than the limit, and nobody else', async () => {
    const { connect } = await serve(echo, { limits: { payloadBytes: 10_000 } });
    const [greedy, modest] = [await connect({ transports: ['websocket'] }), await connect()];
    const gone = once(greedy as never, 'disconnect');
    greedy.emit('question-ask', { ...question, text: 'x'.repeat(20_000) });
    await gone;
    expect(await send(modest, 'question-ask', question)).toMatchObject({ ok: true });
  });

  it('never show what broke inside', async () => {
    const socket = await (
      await serve(() => {
        throw new Error('password=hunter2');
      })
    ).connect();
    const collecting = collectFrames(socket);
    await send(socket, 'question-ask', question);
    expect(JSON.stringify(await collecting)).not.toContain('hunter2');
  });
});

describe('Connecting', () => {
  it('is refused to pages of other sites, and granted to those that are allowed', async () => {
    const { connect } = await serve(echo, { allowedOrigins: ['https://shop.example'] });
    const from = (origin: string): object => ({ transports: ['websocket'], extraHeaders: { origin } });
    await expect(connect(from('https://evil.example'))).rejects.toThrow();
    await expect(connect(from('https://shop.example'))).resolves.toBeDefined();
  });
});

describe('answer-stop', () => {
  it('aborts the answer, from any socket', async () => {
    const endless = createEndless();
    const { connect } = await serve(endless.pipeline);
    const [asking, stopping] = [await connect(), await connect()];
    const collecting = collectFrames(asking);
    const { messageId } = await send(asking, 'question-ask', question);
    await endless.writing;
    expect(await send(stopping, 'answer-stop', { messageId })).toEqual({ ok: true, stopped: true });
    await endless.aborted;
    expect((await collecting).at(-1)).toMatchObject({ type: 'answer-failed', error: { code: 'stopped' } });
    expect(await send(stopping, 'answer-stop', { messageId })).toEqual({ ok: true, stopped: false });
  });
});

describe('answer-resume', () => {
  const LENGTH = 9;

  it('gives the rest of a running answer after any seq, to another socket, when the first one broke there', async () => {
    const gates = Array.from({ length: LENGTH - 2 }, createGate);
    const { connect } = await serve(async function* ({ text }) {
      yield started(text);
      for (const [index, gate] of gates.entries()) {
        await gate.opened;
        yield { type: 'handoff-requested', reason: String(index) };
      }
      yield completed('Done.');
    });
    const seen: number[] = [];
    let messageId: unknown;
    for (let seq = 0; seq < LENGTH; seq += 1) {
      const socket = await connect();
      const arriving = new Promise<AnswerFrame>((resolve) => socket.once('frame', resolve));
      if (seq === 0) messageId = (await send(socket, 'question-ask', question)).messageId;
      else await send(socket, 'answer-resume', { messageId, afterSeq: seq - 1 });
      gates[seq - 1]?.open();
      seen.push((await arriving).seq);
      socket.disconnect();
    }
    expect(seen).toEqual(Array.from({ length: LENGTH }, (_, index) => index));
  });

  it('replays a finished answer after any seq', async () => {
    const socket = await (await serve()).connect();
    const collecting = collectFrames(socket);
    const { messageId } = await send(socket, 'question-ask', question);
    const all = await collecting;
    for (const frame of all.slice(0, -1)) {
      const again = collectFrames(socket);
      await send(socket, 'answer-resume', { messageId, afterSeq: frame.seq });
      expect(await again).toEqual(all.slice(frame.seq + 1));
    }
  });

  it('on the socket that follows already starts again after the seq, without mixing in what came before', async () => {
    const gate = createGate();
    const { connect } = await serve(async function* ({ text }) {
      yield started(text);
      yield delta('One');
      await gate.opened;
      yield completed('One');
    });
    const socket = await connect();
    const seqs: number[] = [];
    socket.on('frame', ({ seq }: AnswerFrame) => seqs.push(seq));
    const { messageId } = await send(socket, 'question-ask', question);
    await expect.poll(() => seqs).toEqual([0, 1]);
    await send(socket, 'answer-resume', { messageId, afterSeq: 0 });
    await expect.poll(() => seqs).toEqual([0, 1, 1]);
    gate.open();
    await expect.poll(() => seqs).toEqual([0, 1, 1, 2]);
  });
});

describe('A socket that is gone', () => {
  it('lets its answer run for the grace period, then aborts it', async () => {
    const endless = createEndless();
    const { connect, runner } = await serve(endless.pipeline, { graceMs: 5 });
    const socket = await connect();
    await send(socket, 'question-ask', question);
    await endless.writing;
    socket.disconnect();
    await endless.aborted;
    await expect.poll(() => runner.running).toBe(0);
  });

  it('does not disturb its answer when it comes back', async () => {
    const gate = createGate();
    const { connect } = await serve(async function* ({ text }) {
      yield started(text);
      await gate.opened;
      yield completed('Done.');
    });
    const socket = await connect();
    const { messageId } = await send(socket, 'question-ask', question);
    socket.disconnect();
    const again = await connect();
    const collecting = collectFrames(again);
    await send(again, 'answer-resume', { messageId, afterSeq: -1 });
    gate.open();
    expect((await collecting).map(({ type }) => type)).toEqual(['answer-started', 'answer-completed']);
  });
});

describe('A client that does not read', () => {
  it('is sent no more until it does, then gets every frame', async () => {
    const LENGTH = 1000;
    const { connect, runner } = await serve(async function* () {
      const reason = 'x'.repeat(64_000);
      for (let index = 1; index < LENGTH; index += 1) yield { type: 'handoff-requested', reason };
      yield completed('Done.');
    });
    let taken = 0;
    const { deliver } = runner;
    runner.deliver = (messageId, afterSeq, show, options) => {
      const count = (frame: AnswerFrame): ReturnType<typeof show> => {
        taken += 1;
        return show(frame);
      };
      return deliver(messageId, afterSeq, count, options);
    };
    const socket = await connect({ transports: ['websocket'] });
    const seqs: number[] = [];
    socket.on('frame', ({ seq }: AnswerFrame) => seqs.push(seq));
    const { ws } = socket.io.engine.transport as unknown as { ws: { pause(): void; resume(): void } };
    ws.pause();
    socket.emit('question-ask', question);
    await expect.poll(() => taken).toBeGreaterThan(0);
    await expect.poll(() => runner.running).toBe(0);
    for (let before = -1; before !== taken; ) {
      before = taken;
      for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
    }
    expect(taken).toBeLessThan(LENGTH);
    ws.resume();
    await expect.poll(() => seqs.length, { timeout: 20_000 }).toBe(LENGTH);
    expect(seqs).toEqual(Array.from({ length: LENGTH }, (_, index) => index));
  });

  it('is told why it is dropped, if it reads at last', async () => {
    const { connect, logger } = await serve(
      async function* () {
        const reason = 'x'.repeat(64_000);
        for (let index = 1; index < 300; index += 1) yield { type: 'handoff-requested', reason };
        yield completed('Done.');
      },
      { limits: { stallMs: 20, dropMs: 60_000 } },
    );
    const stalled = await connect({ transports: ['websocket'] });
    const failure = nextFailure(stalled);
    const { messageId } = await send(stalled, 'question-ask', question);
    const { ws } = stalled.io.engine.transport as unknown as { ws: { pause(): void; resume(): void } };
    ws.pause();
    const dropped = (): boolean => logger.lines.some(({ message }) => message.includes('was dropped'));
    await expect.poll(dropped, { timeout: 20_000 }).toBe(true);
    ws.resume();
    expect(await failure).toEqual({
      event: 'question-ask',
      messageId,
      error: {
        code: 'timeout',
        message: 'What was sent here was not read in time.',
        retryable: true,
      },
    });
  });

  it('is dropped when it reads nothing for too long, and goes on after its last frame', async () => {
    const LENGTH = 300;
    const { connect, sockets } = await serve(
      async function* () {
        const reason = 'x'.repeat(64_000);
        for (let index = 1; index < LENGTH; index += 1) yield { type: 'handoff-requested', reason };
        yield completed('Done.');
      },
      { limits: { stallMs: 20 } },
    );
    const seqs: number[] = [];
    const follow = async (): Promise<Socket> => {
      const socket = await connect({ transports: ['websocket'] });
      socket.on('frame', ({ seq }: AnswerFrame) => seqs.push(seq));
      return socket;
    };
    const stalled = await follow();
    const { messageId } = await send(stalled, 'question-ask', question);
    const { ws } = stalled.io.engine.transport as unknown as { ws: { pause(): void; resume(): void } };
    ws.pause();
    await expect.poll(() => sockets.connected, { timeout: 20_000 }).toBe(0);
    const gone = once(stalled as never, 'disconnect');
    ws.resume();
    await gone;
    expect(seqs.length).toBeLessThan(LENGTH);
    // A busy machine may drop one that does read, too: it comes back until it has all.
    while (seqs.length < LENGTH) {
      const again = await follow();
      const ended = new Promise<unknown>((resolve) => {
        again.once('disconnect', resolve);
        again.on('frame', (frame: AnswerFrame) => isFinalFrame(frame) && resolve(frame));
      });
      await send(again, 'answer-resume', { messageId, afterSeq: seqs.length - 1 });
      await ended;
    }
    expect(seqs).toEqual(Array.from({ length: LENGTH }, (_, index) => index));
  });
});

describe('feedback-give', () => {
  it('stores the verdict', async () => {
    const { connect, feedback } = await serve();
    const socket = await connect();
    const { messageId } = await send(socket, 'question-ask', question);
    const given = { messageId, verdict: 'down', passageIds: [PASSAGE_ID], comment: 'Wrong number.' };
    expect(await send(socket, 'feedback-give', given)).toEqual({ ok: true });
    expect(feedback).toEqual([{ ...given, at: expect.any(String) }]);
  });
});

describe('Draining', () => {
  it('refuses new questions, ends the running answer, and its frames still arrive', async () => {
    const endless = createEndless();
    const { connect, runner } = await serve(endless.pipeline);
    const socket = await connect();
    const collecting = collectFrames(socket);
    await send(socket, 'question-ask', question);
    await endless.writing;
    const drained = runner.drain({ timeoutMs: 20 });
    expect(await send(socket, 'question-ask', question)).toMatchObject({
      ok: false,
      error: { code: 'unavailable' },
    });
    await drained;
    expect((await collecting).at(-1)).toMatchObject({ error: { code: 'interrupted' } });
  });
});

describe('Closing', () => {
  it('first sends what is there of the answers, then ends the connection so that clients come back', async () => {
    const gate = createGate();
    const served = await serve(async function* () {
      await gate.opened;
      for (let index = 0; index < 300; index += 1) {
        yield { type: 'handoff-requested', reason: 'x'.repeat(10_000) };
      }
      yield completed('Done.');
    });
    const socket = await served.connect({ transports: ['websocket'] });
    const collecting = collectFrames(socket);
    const reason = new Promise<string>((resolve) => socket.once('disconnect', resolve));
    await send(socket, 'question-ask', question);
    gate.open();
    await served.runner.drain({ timeoutMs: 20_000 });
    await served.sockets.close();
    expect(await collecting).toHaveLength(301);
    expect(await reason).toBe('transport close');
    expect(served.sockets.connected).toBe(0);
  });
});

it('An error of the store reaches the client as its own code', async () => {
  const down = () => Promise.reject(new AppError('unavailable'));
  const { connect } = await serve(echo, { access: { toMessage: down, toConversation: down } });
  const socket = await connect();
  const reply = await send(socket, 'answer-resume', { messageId: randomUUID(), afterSeq: -1 });
  expect(reply).toMatchObject({ ok: false, error: { code: 'unavailable', retryable: true } });
});
