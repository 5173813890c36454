import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoredKey } from '../../src/identity/key-store.js';
import { connectRedis } from '../../src/store/redis-connection.js';
import { createRedisHandoffs } from '../../src/store/redis-handoffs.js';
import { createRedisStore, type RedisStoreOptions } from '../../src/store/redis-store.js';
import { conversationStoreContract } from '../contracts/conversation-store.js';
import { feedbackStoreContract } from '../contracts/feedback-store.js';
import { handoffStoreContract } from '../contracts/handoff-store.js';
import { traceStoreContract } from '../contracts/trace-store.js';
import { completedBody, framesOf, startedBody } from '../support/frames.js';
import { hasRedis, NO_REDIS, type RedisServer, startRedis } from '../support/redis-server.js';
import { silentLogger } from '../support/silent-logger.js';

describe.skipIf(!hasRedis)('Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.close());

  const open = (options: Omit<RedisStoreOptions, 'redis'> = {}, patienceMs = 5000) => {
    const redis = connectRedis({ url: server.url, logger: silentLogger, patienceMs });
    const store = createRedisStore({ redis, ...options });
    return {
      ...store,
      ...createRedisHandoffs({ redis }),
      async close() {
        await store.close();
        await redis.close();
      },
    };
  };
  const newPlaceOf = (maxTraces?: number) => async () => ({
    open: async () => open(maxTraces === undefined ? {} : { maxTraces }),
    remove: () => server.empty(),
  });

  conversationStoreContract('redis', newPlaceOf());
  traceStoreContract('redis', 5, newPlaceOf(5));
  feedbackStoreContract('redis', newPlaceOf());
  handoffStoreContract('redis', newPlaceOf());

  const message = (messageId: string) => ({
    conversationId: 'c1',
    messageId,
    knowledgeBase: 'shop',
    question: 'What?',
    askedAt: '2026-11-21T00:00:00.000Z',
  });

  test('keeps keys and secrets for all servers, and says once that a key is revoked', async () => {
    const [one, other] = [open(), open()];
    const key: StoredKey = {
      id: '1f2e3d4c5b6a7988',
      secretHash: '00'.repeat(32),
      name: 'widget',
      tenant: 'shop',
      scopes: ['ask'],
      knowledgeBases: ['shop'],
      createdAt: '2026-11-21T00:00:00.000Z',
    };
    await one.writeKey(key);
    expect(await other.readKey(key.id)).toEqual(key);
    expect(await other.revokeKey(key.id, '2026-11-22')).toBe(true);
    expect(await one.revokeKey(key.id, '2026-11-23')).toBe(false);
    expect(await one.revokeKey('none', '2026-11-23')).toBe(false);
    expect(await one.listKeys()).toEqual([{ ...key, revokedAt: '2026-11-22' }]);
    expect(await one.readSecret('tokens')).toBe(await other.readSecret('tokens'));
    await Promise.all([one.close(), other.close()]);
    await server.empty();
  });

  test('is shared: what one server writes, another reads', async () => {
    const [one, other] = [open(), open()];
    await one.startMessage(message('m1'));
    const frames = framesOf('c1', 'm1', [startedBody('What?'), completedBody('That.')]);
    await one.appendFrames(frames);
    expect(await other.readFrames('m1', -1)).toEqual(frames);
    expect(await other.readTurns('c1', 5)).toHaveLength(1);
    await Promise.all([one.close(), other.close()]);
    await server.empty();
  });

  test('leaves the answers of another server that lives, and ends those of one that is gone', async () => {
    const [one, other] = [open({ leaseMs: 60_000 }), open()];
    await one.startMessage(message('m1'));
    await one.appendFrames(framesOf('c1', 'm1', [startedBody('What?')]));
    expect(await other.interruptRunning()).toBe(0);
    await one.close();
    expect(await other.interruptRunning()).toBe(1);
    expect(await other.readFrames('m1', 0)).toMatchObject([
      {
        seq: 1,
        conversationId: 'c1',
        messageId: 'm1',
        type: 'answer-failed',
        error: { code: 'interrupted' },
      },
    ]);
    await other.close();
    await server.empty();
  });

  test('tells a server that was taken for dead, instead of mixing its frames in', async () => {
    const [slow, other] = [open({ leaseMs: 1 }), open()];
    await slow.startMessage(message('m1'));
    // It renews its lease of a millisecond all the time: sooner or later it is looked at in between.
    await expect.poll(() => other.interruptRunning(), { timeout: 30_000 }).toBe(1);
    await expect(slow.appendFrames(framesOf('c1', 'm1', [startedBody('What?')]))).rejects.toMatchObject({
      code: 'interrupted',
    });
    expect(await other.readFrames('m1', -1)).toHaveLength(1);
    await Promise.all([slow.close(), other.close()]);
    await server.empty();
  });

  test('keeps what it acknowledged when Redis is killed, and goes on with what was under way', async () => {
    const store = open();
    await store.startMessage(message('m1'));
    await store.appendFrames(framesOf('c1', 'm1', [startedBody('What?')]));
    await server.kill();
    const writing = store.appendFrames(framesOf('c1', 'm1', [completedBody('That.')], 1));
    const giving = store.giveFeedback({ messageId: 'm1', verdict: 'up', passageIds: [], at: '2026' });
    await server.restart();
    await Promise.all([writing, giving]);
    expect((await store.readFrames('m1', -1))?.map(({ seq }) => seq)).toEqual([0, 1]);
    expect(await store.readFeedback('m1')).toMatchObject({ verdict: 'up' });
    await store.close();
    await server.empty();
  });

  test('answers unavailable where Redis stays away or hangs, and serves again when it is back', async () => {
    const store = open({}, 200);
    await store.startMessage(message('m1'));
    const refusal = { name: 'AppError', code: 'unavailable', retryable: true, retryAfterSeconds: 2 };
    server.freeze();
    await expect(store.readMessage('m1')).rejects.toMatchObject(refusal);
    server.thaw();
    await expect.poll(() => store.readMessage('m1').catch(() => undefined)).toBeDefined();
    await server.kill();
    await expect(store.readMessage('m1')).rejects.toMatchObject(refusal);
    await server.restart();
    await expect
      .poll(() => store.readMessage('m1').catch(() => undefined), { timeout: 10_000 })
      .toBeDefined();
    await store.close();
    await server.empty();
  });
});

test.runIf(!hasRedis)(NO_REDIS, () => undefined);
