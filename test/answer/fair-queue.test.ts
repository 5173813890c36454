import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createFairQueue } from '../../src/answer/fair-queue.js';

const { signal } = new AbortController();
const newQueue = (atOnce: number, longestWaitMs = 60_000) => createFairQueue({ atOnce, longestWaitMs });

test('lets a client with one request in before the many of another, then takes turns', async () => {
  const queue = newQueue(2);
  const order: string[] = [];
  const finish: (() => void)[] = [];
  const enter = async (client: string): Promise<void> => {
    const leave = await queue.enter(client, { signal });
    order.push(client);
    finish.push(leave);
  };
  const entering = ['greedy', 'greedy', 'greedy', 'greedy', 'modest', 'modest'].map(enter);
  await Promise.all(entering.slice(0, 2));
  expect(queue.waiting).toBe(4);
  for (let turn = 2; turn < entering.length; turn += 1) {
    finish.shift()?.();
    await Promise.race(entering.slice(turn));
    await expect.poll(() => order.length).toBe(turn + 1);
  }
  expect(order).toEqual(['greedy', 'greedy', 'modest', 'greedy', 'modest', 'greedy']);
  for (const leave of finish) leave();
  expect([queue.running, queue.waiting]).toEqual([0, 0]);
});

test('never lets more in than it may, and gives a permit back once', async () => {
  const queue = newQueue(1);
  const leave = await queue.enter('a', { signal });
  const next = queue.enter('b', { signal });
  const third = queue.enter('c', { signal });
  leave();
  leave();
  await next;
  expect([queue.running, queue.waiting]).toEqual([1, 1]);
  (await next)();
  (await third)();
});

test('forgets a request that is stopped while it waits', async () => {
  const queue = newQueue(1);
  const leave = await queue.enter('a', { signal });
  const stopping = new AbortController();
  const waiting = queue.enter('b', { signal: stopping.signal });
  stopping.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'stopped' });
  await expect(queue.enter('b', { signal: stopping.signal })).rejects.toMatchObject({ code: 'stopped' });
  expect(queue.waiting).toBe(0);
  leave();
});

test('refuses with a hint where the wait gets too long, and at once where that shows beforehand', async () => {
  const queue = newQueue(1, 1);
  const overloaded = { code: 'overloaded', retryable: true, retryAfterSeconds: expect.any(Number) };
  const leave = await queue.enter('a', { signal });
  await expect(queue.enter('b', { signal })).rejects.toMatchObject(overloaded);
  // A timer may fire before its time; the average is to be above the longest wait in any case.
  await sleep(20);
  leave();
  const again = await queue.enter('a', { signal });
  // The first took longer than anybody may wait: nobody begins to.
  const refused = expect(queue.enter('b', { signal })).rejects.toMatchObject(overloaded);
  expect(queue.waiting).toBe(0);
  await refused;
  again();
});
