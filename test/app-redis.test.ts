import { io, type Socket } from 'socket.io-client';
import request from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createGate } from './stream/scripted-answers.js';
import { allFrames, connectClient, requireWhole, textOf } from './support/answers.js';
import { startTestApp, type TestApp } from './support/app.js';
import { type ModelServer, startModelServer } from './support/model-server.js';
import { hasRedis, NO_REDIS, type RedisServer, startRedis } from './support/redis-server.js';

const QUESTION = { knowledgeBase: 'shop', text: 'How many days do I have to return an item?' };

if (!hasRedis) it.skip(NO_REDIS, () => undefined);

describe.skipIf(!hasRedis)('two servers that share a Redis', () => {
  let redis: RedisServer;
  let model: ModelServer;
  let one: TestApp;
  let other: TestApp;
  const closings: (() => void)[] = [];

  beforeAll(async () => {
    [redis, model] = await Promise.all([startRedis(), startModelServer()]);
    const env = { REDIS_URL: redis.url, OPENAI_BASE_URL: model.url, ANSWER_GRACE_SECONDS: '1' };
    [one, other] = await Promise.all([startTestApp({ env }), startTestApp({ env })]);
  }, 300_000);
  afterEach(() => {
    for (const close of closings.splice(0)) close();
  });
  afterAll(async () => {
    await Promise.all([one?.close(), other?.close()]);
    await Promise.all([redis?.close(), model?.close()]);
  });
  const connect = (url: string) => {
    const client = connectClient(url);
    closings.push(() => client.close());
    return client;
  };

  it('give every frame once and in order to a client that goes from one to the other all the time', async () => {
    const gates = Array.from({ length: 6 }, createGate);
    model.respond({ steps: gates.flatMap((gate, index) => [{ wait: gate.opened }, `Word ${index} [1]. `]) });
    let position = (await connect(one.url).ask(QUESTION)).position;
    const frames = [];
    for (let visit = 0; ; visit += 1) {
      gates[visit]?.open();
      const client = connect(visit % 2 === 0 ? other.url : one.url);
      const answer = await client.resume(position);
      let taken = 0;
      for await (const frame of answer) {
        frames.push(frame);
        taken += 1;
        if (taken === 2) break;
      }
      position = answer.position;
      client.close();
      if (frames.at(-1)?.type === 'answer-completed') break;
    }
    requireWhole(frames);
    expect(textOf(frames)).toContain('Word 5');
    const replayed = await allFrames(await connect(other.url).resume({ ...position, lastSeq: -1 }));
    expect(replayed).toEqual(frames);
  });

  it('stop an answer that the other one writes, and its model request is cancelled', async () => {
    model.respond({ steps: ['Once upon a time ', { stall: true }] });
    const count = model.requests.length;
    const answer = await connect(one.url).ask(QUESTION);
    const upstream = await model.arrived(count + 1);
    const { body } = await request(other.url).delete(`/v1/answers/${answer.position.messageId}`).expect(200);
    expect(body).toMatchObject({ stopped: true });
    expect(await upstream.ended).toBe('cancelled');
    expect((await allFrames(answer)).at(-1)).toMatchObject({ error: { code: 'stopped' } });
  });

  it('let an answer run on while somebody follows it on the other one, and stop it when nobody does', async () => {
    const gate = createGate();
    model.respond({ steps: ['Once ', { wait: gate.opened }, 'upon a time [1].', { stall: true }] });
    const count = model.requests.length;
    const asking = connect(one.url);
    const { position } = await asking.ask(QUESTION);
    const upstream = await model.arrived(count + 1);
    const following = connect(other.url);
    const answer = await following.resume(position);
    const frames = answer[Symbol.asyncIterator]();
    await frames.next();
    asking.close();
    // Longer than the grace period: somebody follows, so it does not end.
    const ended = await Promise.race([
      upstream.ended,
      new Promise((resolve) => setTimeout(resolve, 1500, 'still running')),
    ]);
    expect(ended).toBe('still running');
    gate.open();
    following.close();
    expect(await upstream.ended).toBe('cancelled');
  });

  it('share conversations and take feedback on what the other one wrote', async () => {
    model.respond({ steps: ['You have 30 days [1].'] });
    const { body } = await request(one.url).post('/v1/answers').send(QUESTION).expect(200);
    const { body: conversation } = await request(other.url)
      .get(`/v1/conversations/${body.conversationId}`)
      .expect(200);
    expect(conversation.messages).toMatchObject([{ messageId: body.messageId, status: 'answered' }]);
    await request(other.url)
      .post('/v1/feedback')
      .send({ messageId: body.messageId, verdict: 'up' })
      .expect(204);
    const followUp = { ...QUESTION, conversationId: body.conversationId, text: 'And for headphones?' };
    await request(other.url).post('/v1/answers').send(followUp).expect(200);
    await request(other.url).get(`/v1/messages/${body.messageId}/trace`).expect(200);
  });

  it('let a person on one take over what the other one is writing; both sides hear of it, and of what is said', async () => {
    model.respond({ steps: ['Once upon a time ', { stall: true }] });
    const count = model.requests.length;
    const answer = await connect(one.url).ask(QUESTION);
    const { conversationId } = answer.position;
    const upstream = await model.arrived(count + 1);
    const visitor = io(one.url, { forceNew: true });
    const operator = io(other.url, { forceNew: true });
    closings.push(
      () => visitor.close(),
      () => operator.close(),
    );
    await visitor.emitWithAck('conversation-watch', { conversationId });
    const heard = <Payload>(socket: Socket, event: string): Promise<Payload> =>
      new Promise((resolve) => socket.once(event, resolve));

    const changed = heard<object>(visitor, 'handling-changed');
    const taken = await operator.emitWithAck('conversation-takeover', { conversationId, operator: 'Mei' });
    expect(taken).toMatchObject({ ok: true, handling: { state: 'operator', operator: 'Mei' } });
    expect(await changed).toMatchObject({ conversationId, handling: { operator: 'Mei' } });
    expect(await upstream.ended).toBe('cancelled');
    expect((await allFrames(answer)).at(-1)).toMatchObject({ error: { code: 'stopped' } });

    const asked = heard<object>(operator, 'visitor-message');
    const silent = await allFrames(await connect(one.url).ask({ ...QUESTION, conversationId }));
    expect(silent.at(-1)).toMatchObject({ status: 'no-answer', reason: 'operator' });
    expect(await asked).toMatchObject({ conversationId, text: QUESTION.text });
    const written = heard<object>(visitor, 'operator-message');
    await operator.emitWithAck('operator-write', { conversationId, text: 'For you 45 days.' });
    expect(await written).toMatchObject({ operator: 'Mei', text: 'For you 45 days.' });
    const { body } = await request(one.url).get('/v1/handoffs').expect(200);
    expect(body.handoffs).toMatchObject([{ conversationId, handling: { state: 'operator' } }]);

    await request(one.url).post(`/v1/conversations/${conversationId}/release`).expect(200);
    model.respond({ steps: ['You have 30 days [1].'] });
    const answered = await allFrames(await connect(one.url).ask({ ...QUESTION, conversationId }));
    expect(answered.at(-1)).toMatchObject({ status: 'answered' });
  });

  it('say that Redis is ready, and how durable it is', async () => {
    const { body } = await request(one.url).get('/readyz');
    expect(body.dependencies.conversations).toMatchObject({
      ready: true,
      engine: 'redis',
      durability: 'always',
    });
  });

  it('refuse clearly while Redis is away, and serve again when it is back', async () => {
    model.respond({ steps: ['You have 30 days [1].'] });
    await redis.kill();
    const { body: down } = await request(one.url).get('/readyz').expect(503);
    expect(down.dependencies.conversations).toMatchObject({ ready: false });
    const refused = await request(one.url).post('/v1/answers').send(QUESTION).expect(503);
    expect(refused.body.error).toMatchObject({ code: 'unavailable', retryAfterSeconds: 2 });
    await redis.restart();
    await expect
      .poll(async () => (await request(one.url).post('/v1/answers').send(QUESTION)).status, {
        timeout: 20_000,
      })
      .toBe(200);
  });
});
