import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { io } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import type { AnswerPosition } from '../../src/client/answer-stream.js';
import { type AskbaseClient, createAskbaseClient } from '../../src/client/askbase-client.js';
import type { AnswerFrame, ConversationHandling } from '../../src/client/protocol.js';
import type { ConversationStore } from '../../src/store/conversation-store.js';
import { createAccess } from '../../src/stream/access.js';
import { type AnswerRunner, createAnswerRunner } from '../../src/stream/answer-runner.js';
import { createOperatorDesk } from '../../src/stream/operator-desk.js';
import { createRequestLimiter } from '../../src/stream/rate-limiter-flexible-limiter.js';
import type { Pipeline } from '../../src/stream/run-answer.js';
import { createSocketIoServer, type SocketIoServer } from '../../src/stream/socket-io-server.js';
import { createMemoryConversationStore } from '../fakes/memory-conversation-store.js';
import { createMemoryHandoffStore } from '../fakes/memory-handoff-store.js';
import {
  completed,
  createEndless,
  createGate,
  createKnowledgeBases,
  createMemoryLogger,
  echo,
  type Gate,
  shop,
  started,
} from '../stream/scripted-answers.js';
import { openDoor } from '../support/open-door.js';

interface Served {
  url: string;
  runner: AnswerRunner;
  conversations: ConversationStore;
  feedback: unknown[];
  sockets: SocketIoServer;
  httpServer: Server;
}

const closings: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});

interface ServeOptions {
  conversations?: ConversationStore;
  port?: number;
}

async function serve(pipeline: Pipeline = echo, options: ServeOptions = {}): Promise<Served> {
  const { conversations = createMemoryConversationStore(), port = 0 } = options;
  const httpServer = createServer();
  const logger = createMemoryLogger();
  const feedback: unknown[] = [];
  const desk = createOperatorDesk({ handoffs: createMemoryHandoffStore(), conversations });
  const runner = createAnswerRunner({
    pipeline: desk.attend(pipeline),
    conversations,
    knowledgeBases: createKnowledgeBases(shop),
    logger,
  });
  const sockets = createSocketIoServer({
    httpServer,
    runner,
    access: createAccess(conversations),
    authenticator: openDoor,
    logger,
    giveFeedback: async (input) => void feedback.push(input),
    desk,
    eventLimiter: createRequestLimiter({ perMinute: 1000 }),
  });
  httpServer.listen(port, '127.0.0.1');
  await once(httpServer, 'listening');
  const served = {
    url: `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`,
    runner,
    conversations,
    feedback,
    sockets,
    httpServer,
  };
  closings.push(() => shutDown(served));
  return served;
}

async function shutDown({ sockets, httpServer, runner }: Served): Promise<void> {
  await sockets.close();
  httpServer.closeAllConnections();
  const closed = once(httpServer, 'close');
  if (httpServer.listening) {
    httpServer.close();
    await closed;
  }
  await runner.drain({ timeoutMs: 1 });
}

function connect(url: string, ackTimeoutMs = 10_000): AskbaseClient {
  const client = createAskbaseClient({
    io: (address, options) => io(address, { ...options, reconnectionDelay: 1, reconnectionDelayMax: 5 }),
    url,
    ackTimeoutMs,
  });
  closings.push(() => client.close());
  return client;
}

/** A client whose connection the test can break. */
function connectBreakable(url: string) {
  const sockets: ReturnType<typeof io>[] = [];
  const client = createAskbaseClient({
    io: (address, options) => {
      const socket = io(address, { ...options, reconnectionDelay: 1, transports: ['websocket'] });
      sockets.push(socket);
      return socket;
    },
    url,
  });
  closings.push(() => client.close());
  return {
    client,
    /** Resolves when it is connected again. */
    breakConnection(): Promise<void> {
      const [socket] = sockets;
      if (socket === undefined) throw new Error('no socket');
      const back = new Promise<void>((resolve) => socket.once('connect', () => resolve()));
      socket.io.engine.close();
      return back;
    },
  };
}

async function all(answer: AsyncIterable<AnswerFrame>): Promise<AnswerFrame[]> {
  const frames: AnswerFrame[] = [];
  for await (const frame of answer) frames.push(frame);
  return frames;
}

const seqsOf = (frames: AnswerFrame[]): number[] => frames.map(({ seq }) => seq);
const countUp = (length: number): number[] => Array.from({ length }, (_, index) => index);
const question = { knowledgeBase: 'shop', text: 'How long?' };

/** Frame 0 at once, one more for every gate. */
function createGated(gates: Gate[]): Pipeline {
  return async function* ({ text }) {
    yield started(text);
    for (const [index, gate] of gates.entries()) {
      await gate.opened;
      yield index === gates.length - 1
        ? completed('Done.')
        : { type: 'handoff-requested', reason: `${index}` };
    }
  };
}

describe('The client', () => {
  it('asks and gives the frames of the answer up to its end', async () => {
    const client = connect((await serve()).url);
    const answer = await client.ask(question);
    expect(answer.position).toMatchObject({ lastSeq: -1, messageId: expect.any(String) });
    const frames = await all(answer);
    expect(seqsOf(frames)).toEqual(countUp(frames.length));
    expect(frames.at(-1)).toMatchObject({ type: 'answer-completed', text: 'You asked: How long?' });
    expect(answer.position.lastSeq).toBe(frames.length - 1);
  });

  it('follows several answers at once without mixing them', async () => {
    const client = connect((await serve()).url);
    const answers = await Promise.all(['a', 'b', 'c'].map((text) => client.ask({ ...question, text })));
    const texts = (await Promise.all(answers.map(all))).map((frames) => frames.at(-1));
    expect(texts).toMatchObject(['a', 'b', 'c'].map((text) => ({ text: `You asked: ${text}` })));
  });

  it('stops an answer and gives feedback', async () => {
    const endless = createEndless();
    const { url, feedback } = await serve(endless.pipeline);
    const client = connect(url);
    const answer = await client.ask(question);
    await endless.writing;
    expect(await answer.stop()).toBe(true);
    expect((await all(answer)).at(-1)).toMatchObject({ type: 'answer-failed', error: { code: 'stopped' } });
    const { messageId } = answer.position;
    await client.giveFeedback({ messageId, verdict: 'up' });
    expect(feedback).toEqual([{ messageId, verdict: 'up' }]);
  });

  it('throws what the server refuses', async () => {
    const client = connect((await serve()).url);
    await expect(client.ask({ ...question, knowledgeBase: 'nowhere' })).rejects.toMatchObject({
      name: 'AskbaseError',
      code: 'not-found',
      retryable: false,
    });
  });

  it('throws unavailable where no server answers, and tells when the connection changes', async () => {
    const served = await serve();
    const { url } = served;
    const client = connect(url, 200);
    const changes: boolean[] = [];
    const forget = client.onConnectionChange((connected) => changes.push(connected));
    await expect.poll(() => client.connected).toBe(true);
    await shutDown(served);
    await expect(client.ask(question)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    await expect.poll(() => changes).toEqual([true, false]);
    forget();
  });

  it('gives every frame once and in order though the connection breaks before each of them', async () => {
    const gates = countUp(8).map(createGate);
    const { url, runner } = await serve(createGated(gates));
    const { client, breakConnection } = connectBreakable(url);
    const answer = await client.ask(question);
    const seqs: number[] = [];
    for await (const frame of answer) {
      seqs.push(frame.seq);
      const back = breakConnection();
      if (frame.seq % 2 === 0) gates[frame.seq]?.open();
      await back;
      if (frame.seq % 2 === 1) gates[frame.seq]?.open();
    }
    expect(seqs).toEqual(countUp(9));
    await expect.poll(() => runner.running).toBe(0);
  });

  it('goes on after a reload from the position that was kept, at every seq', async () => {
    const gates = countUp(5).map(createGate);
    const { url } = await serve(createGated(gates));
    const first = connect(url);
    let kept: AnswerPosition = (await first.ask(question)).position;
    first.close();
    const seqs: number[] = [];
    for (const index of countUp(6)) {
      const page = connect(url);
      gates[index - 1]?.open();
      const answer = await page.resume(kept);
      for await (const frame of answer) {
        seqs.push(frame.seq);
        break;
      }
      kept = JSON.parse(JSON.stringify(answer.position));
      page.close();
    }
    expect(seqs).toEqual(countUp(6));
    expect(await all(await connect(url).resume({ ...kept, lastSeq: -1 }))).toHaveLength(6);
  });

  it('ends with interrupted when the server restarted in the middle of the answer', async () => {
    const conversations = createMemoryConversationStore();
    const endless = createEndless();
    const old = await serve(endless.pipeline, { conversations });
    const client = connect(old.url);
    const answer = await client.ask(question);
    const reading = all(answer);
    await endless.writing;
    const { port } = new URL(old.url);
    await old.sockets.close();
    await shutDown({ ...old, runner: { ...old.runner, drain: async () => undefined } });
    await conversations.interruptRunning();
    await serve(echo, { conversations, port: Number(port) });
    const frames = await reading;
    expect(seqsOf(frames)).toEqual(countUp(frames.length));
    expect(frames.at(-1)).toMatchObject({ type: 'answer-failed', error: { code: 'interrupted' } });
  });

  it('tells who answers and what people write, across a lost connection', async () => {
    const { url } = await serve();
    const { client: visitor, breakConnection } = connectBreakable(url);
    const operator = connect(url);
    const { conversationId } = (await visitor.ask(question)).position;
    const told: ConversationHandling[] = [];
    const end = visitor.watchConversation(conversationId, { onHandling: (now) => told.push(now) });
    const listed: string[] = [];
    operator.watchHandoffs({
      onList: (handoffs) => listed.push(...handoffs.map(({ handling }) => handling.state)),
      onChange: ({ handling }) => listed.push(handling.state),
      onQuestion: ({ text }) => listed.push(text),
      onRefusal: ({ code }) => listed.push(code),
    });
    await expect.poll(() => told.at(-1)?.handling.state).toBe('assistant');
    await operator.takeOver(conversationId, 'Mei');
    await expect.poll(() => told.at(-1)?.handling).toMatchObject({ state: 'operator', operator: 'Mei' });
    await operator.writeAsOperator(conversationId, 'one');
    await expect.poll(() => told.at(-1)?.operatorMessages.map(({ text }) => text)).toEqual(['one']);
    const back = breakConnection();
    await operator.writeAsOperator(conversationId, 'two');
    await expect.poll(() => told.at(-1)?.operatorMessages.map(({ text }) => text)).toEqual(['one', 'two']);
    await back;
    await visitor.ask({ ...question, conversationId });
    await expect.poll(() => listed).toEqual(['operator', question.text]);
    end();
    await operator.release(conversationId);
    await expect.poll(() => listed).toEqual(['operator', question.text, 'assistant']);
    expect(told.at(-1)?.handling.state).toBe('operator');
    await expect(operator.release(conversationId)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('fails where the message is unknown after a reconnect', async () => {
    const { url } = await serve();
    const position = { conversationId: 'x', messageId: '6f2b0cb5-8a6f-4b0f-9a3e-0b8d2f6a1c11', lastSeq: 3 };
    await expect(connect(url).resume(position)).rejects.toMatchObject({ code: 'not-found' });
  });
});
