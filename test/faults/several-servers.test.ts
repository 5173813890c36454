import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { createGate } from '../stream/scripted-answers.js';
import { allFrames, connectClient, requireWhole, textOf } from '../support/answers.js';
import { type ModelServer, startModelServer } from '../support/model-server.js';
import { hasRedis, NO_REDIS, type RedisServer, startRedis } from '../support/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { describeOutcome, lostMessages, startLoad } from './load.js';
import { createServerProcess, type ServerProcess } from './server-process.js';

if (!hasRedis) test.skip(NO_REDIS, () => undefined);

describe.skipIf(!hasRedis)('Two servers behind one address, with a Redis', () => {
  const question = { knowledgeBase: 'shop', text: 'How many days do I have to return an item?' };
  let redis: RedisServer;
  let model: ModelServer;
  let one: ServerProcess;
  let other: ServerProcess;
  let address: TcpProxy;

  beforeEach(async () => {
    [redis, model] = await Promise.all([startRedis(), startModelServer()]);
    const env = { REDIS_URL: redis.url, OPENAI_BASE_URL: model.url };
    [one, other] = await Promise.all([createServerProcess(env), createServerProcess(env)]);
    await Promise.all([one.start(), other.start()]);
    address = await startTcpProxy(one.url);
  });
  afterEach(async () => {
    await address?.close();
    await Promise.all([one?.remove(), other?.remove()]);
    await Promise.all([redis?.close(), model?.close()]);
  });

  it('are restarted one after the other in the middle of an answer, and no frame is lost', async () => {
    const gates = Array.from({ length: 3 }, createGate);
    model.respond({ steps: ['One ', ...gates.flatMap((gate) => [{ wait: gate.opened }, 'more [1]. '])] });
    const client = connectClient(address.url);
    const answer = await client.ask(question);
    const reading = allFrames(answer);
    await model.arrived(1);
    // The first goes: its clients reach the other one, while it writes the answer to its end.
    const gone = one.terminate();
    address.routeTo(other.url);
    address.cut();
    for (const gate of gates) gate.open();
    expect(await gone).toBe(0);
    await one.start();
    const frames = await reading;
    requireWhole(frames);
    expect(frames.at(-1)).toMatchObject({ type: 'answer-completed' });
    expect(textOf(frames).match(/more/g)).toHaveLength(3);
    // Then the other one goes, and the finished answer is replayed by the first.
    expect(await other.terminate()).toBe(0);
    address.routeTo(one.url);
    address.cut();
    await other.start();
    expect(await allFrames(await client.resume({ ...answer.position, lastSeq: -1 }))).toEqual(frames);
    client.close();
  });

  it('end an answer with `interrupted` on the one when the other that wrote it was killed', async () => {
    model.respond({ steps: ['Once upon a time ', { stall: true }] });
    const client = connectClient(address.url);
    const answer = await client.ask(question);
    const reading = allFrames(answer);
    await model.arrived(1);
    address.routeTo(other.url);
    await one.kill();
    address.cut();
    const frames = await reading;
    requireWhole(frames);
    expect(frames.at(-1)).toMatchObject({
      type: 'answer-failed',
      error: { code: 'interrupted', retryable: true },
    });
    client.close();
  });

  it('lose nothing that was acknowledged when Redis is killed under load', async ({ annotate }) => {
    model.respond({ steps: ['You have ', '30 days ', '[1].'] });
    const load = startLoad({ url: one.url, clients: 4 });
    for (let round = 1; round <= 3; round += 1) {
      await load.completed(15 * round);
      await redis.kill();
      await redis.restart();
    }
    await load.completed(60);
    const outcome = await load.finish();
    expect(outcome.lost).toEqual([]);
    expect(Object.keys(outcome.refused).filter((code) => code !== 'unavailable')).toEqual([]);
    expect(await lostMessages(other.url, outcome.acknowledged)).toEqual([]);
    await annotate(`Redis killed three times under load: ${describeOutcome(outcome)}`);
  });

  it('go through a rolling restart under load without losing a question', async ({ annotate }) => {
    model.respond({ steps: ['You have ', '30 days ', '[1].'] });
    const load = startLoad({ url: address.url, clients: 4 });
    let away = one;
    let there = other;
    for (let round = 1; round <= 4; round += 1) {
      await load.completed(12 * round);
      address.routeTo(there.url);
      const gone = away.terminate();
      address.cut();
      expect(await gone).toBe(0);
      await away.start();
      [away, there] = [there, away];
    }
    const outcome = await load.finish();
    expect(outcome.lost).toEqual([]);
    const codes = Object.keys(outcome.refused);
    expect(codes.filter((code) => code !== 'unavailable')).toEqual([]);
    expect(await lostMessages(there.url, outcome.acknowledged)).toEqual([]);
    await annotate(`four restarts under load: ${describeOutcome(outcome)}`);
  });
});
