import { io, type Socket } from 'socket.io-client';
import request from 'supertest';
import { afterEach, describe, expect, it } from 'vitest';
import { type AnswerFrame, isFinalFrame } from '../../src/frames.js';
import type { OperatorMessage } from '../../src/handling.js';
import { SAMPLE_KNOWLEDGE, startTestApp, type TestApp } from '../support/app.js';

type Ack = { ok: boolean; conversationId: string; messageId: string; [field: string]: unknown };

const closings: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});

async function start(options: Parameters<typeof startTestApp>[0] = {}): Promise<TestApp> {
  const app = await startTestApp(options);
  closings.push(() => app.close());
  return app;
}

function connect(url: string): Socket {
  const socket = io(url, { forceNew: true });
  closings.push(() => socket.close());
  return socket;
}

/** Asks, and waits for the last frame. */
async function ask(socket: Socket, text: string, conversationId?: string) {
  const frames: AnswerFrame[] = [];
  const ended = new Promise<void>((resolve) => {
    const listen = (frame: AnswerFrame): void => {
      frames.push(frame);
      if (!isFinalFrame(frame)) return;
      socket.off('frame', listen);
      resolve();
    };
    socket.on('frame', listen);
  });
  const ack: Ack = await socket.emitWithAck('question-ask', {
    knowledgeBase: 'shop',
    text,
    ...(conversationId === undefined ? {} : { conversationId }),
  });
  await ended;
  return { ...ack, frames, types: frames.map(({ type }) => type) };
}

const next = <Payload>(socket: Socket, event: string): Promise<Payload> =>
  new Promise((resolve) => socket.once(event, resolve));

describe('a conversation that a person takes over', () => {
  it('is silent for the assistant until it is released; both sides see all of it, across a restart', async () => {
    const app = await startTestApp();
    closings.push(() => app.close({ keep: true }));
    const visitor = connect(app.url);
    const operator = connect(app.url);
    await operator.emitWithAck('handoffs-watch', {});

    const waiting = next<object>(operator, 'handling-changed');
    const { conversationId, types } = await ask(visitor, 'I want to talk to a human');
    expect(types).toContain('handoff-requested');
    expect(await waiting).toMatchObject({ conversationId, handling: { state: 'waiting', reason: 'asked' } });
    const listed = await request(app.url).get('/v1/handoffs').expect(200);
    expect(listed.body.handoffs).toEqual([
      { conversationId, knowledgeBase: 'shop', handling: expect.objectContaining({ state: 'waiting' }) },
    ]);

    const toldVisitor = next<object>(visitor, 'handling-changed');
    await request(app.url)
      .post(`/v1/conversations/${conversationId}/takeover`)
      .send({ operator: 'Mei' })
      .expect(200);
    expect(await toldVisitor).toMatchObject({ handling: { state: 'operator', operator: 'Mei' } });

    const delivered = next<object>(operator, 'visitor-message');
    const silent = await ask(visitor, 'How many days do I have to return an item?', conversationId);
    expect(silent.types).toEqual(['answer-started', 'answer-completed']);
    expect(silent.frames[1]).toMatchObject({ status: 'no-answer', reason: 'operator', text: '' });
    expect(await delivered).toMatchObject({
      conversationId,
      text: 'How many days do I have to return an item?',
    });

    const written = next<OperatorMessage>(visitor, 'operator-message');
    await request(app.url)
      .post(`/v1/conversations/${conversationId}/messages`)
      .send({ text: 'For you 45 days.' })
      .expect(200);
    expect(await written).toMatchObject({
      operator: 'Mei',
      text: 'For you 45 days.',
      afterMessageId: silent.messageId,
    });

    await app.close({ keep: true });
    closings.splice(0);
    const again = await start({ dir: app.dir });
    const { body } = await request(again.url).get(`/v1/conversations/${conversationId}`).expect(200);
    expect(body).toMatchObject({
      handling: { state: 'operator', operator: 'Mei' },
      messages: [{ question: 'I want to talk to a human' }, { messageId: silent.messageId }],
      operatorMessages: [{ text: 'For you 45 days.' }],
    });

    const visitorAgain = connect(again.url);
    const stillSilent = await ask(visitorAgain, 'Hello?', conversationId);
    expect(stillSilent.frames.at(-1)).toMatchObject({ reason: 'operator' });
    const released: Ack = await visitorAgain.emitWithAck('conversation-release', { conversationId });
    expect(released).toMatchObject({ ok: true, handling: { state: 'assistant' } });
    const answered = await ask(visitorAgain, 'How many days do I have to return an item?', conversationId);
    expect(answered.frames.at(-1)).toMatchObject({ status: 'answered' });
  });

  it('is answered by the assistant while it waits, and operators hear what is asked', async () => {
    const app = await start();
    const visitor = connect(app.url);
    const operator = connect(app.url);
    await operator.emitWithAck('handoffs-watch', {});
    const { conversationId } = await ask(visitor, 'I want to talk to a human');
    const heard = next<object>(operator, 'visitor-message');
    const answered = await ask(visitor, 'How many days do I have to return an item?', conversationId);
    expect(answered.frames.at(-1)).toMatchObject({ status: 'answered' });
    expect(await heard).toMatchObject({ conversationId, messageId: answered.messageId });
  });

  it('shows what the assistant had found, as evidence', async () => {
    const app = await start();
    const visitor = connect(app.url);
    const { conversationId, messageId } = await ask(visitor, 'How many days do I have to return an item?');
    await connect(app.url).emitWithAck('conversation-takeover', { conversationId, operator: 'Mei' });
    const { body } = await request(app.url).get(`/v1/answers/${messageId}/frames`);
    expect(body.frames.map(({ type }: AnswerFrame) => type)).toContain('sources-found');
  });

  it('belongs to one person at a time, and to nobody else’s words', async () => {
    const app = await start();
    const visitor = connect(app.url);
    const { conversationId } = await ask(visitor, 'How many days do I have to return an item?');
    const one = `/v1/conversations/${conversationId}`;
    await request(app.url).post(`${one}/messages`).send({ text: 'Hi' }).expect(409);
    await request(app.url).post(`${one}/release`).expect(409);
    await request(app.url).post(`${one}/takeover`).send({ operator: 'Mei' }).expect(200);
    await request(app.url).post(`${one}/takeover`).send({ operator: 'Li' }).expect(409);
    await request(app.url).post(`${one}/takeover`).send({ operator: ' ' }).expect(400);
    const unknown = '/v1/conversations/8f14e45f-ceea-467f-a8a4-9d5a3b1d3b0e';
    await request(app.url).post(`${unknown}/takeover`).send({ operator: 'Mei' }).expect(404);
  });
});

describe('a person is wanted', () => {
  const withHandoff = (lines: string) => ({
    ...SAMPLE_KNOWLEDGE,
    'shop/kb.yaml': (SAMPLE_KNOWLEDGE['shop/kb.yaml'] as string).replace(
      '同事马上来。}}',
      `同事马上来。}, ${lines}}`,
    ),
  });

  it('after as many questions without an answer as kb.yaml says, once', async () => {
    const app = await start({ knowledge: withHandoff('afterNoAnswers: 2') });
    const visitor = connect(app.url);
    const first = await ask(visitor, 'Wie hoch ist der Eiffelturm?');
    expect(first.frames.at(-1)).toMatchObject({ status: 'no-answer' });
    expect(first.types).not.toContain('handoff-requested');
    const second = await ask(visitor, 'Wer schrieb Hamlet?', first.conversationId);
    expect(second.frames).toContainEqual(
      expect.objectContaining({ type: 'handoff-requested', reason: 'repeated-no-answer' }),
    );
    const { body } = await request(app.url).get(`/v1/conversations/${first.conversationId}`);
    expect(body.handling).toMatchObject({ state: 'waiting', reason: 'repeated-no-answer' });
  });

  it('on anger, and the question is answered all the same', async () => {
    const app = await start();
    const { frames } = await ask(
      connect(app.url),
      'This is ridiculous! How many days do I have to return an item?',
    );
    expect(frames).toContainEqual(expect.objectContaining({ type: 'handoff-requested', reason: 'anger' }));
    expect(frames.at(-1)).toMatchObject({ status: 'answered' });
  });
});
