import { expect, test, vi } from 'vitest';
import type { Share } from '../../src/stream/answer-quota.js';
import { createAnswerQuota } from '../../src/stream/rate-limiter-flexible-quota.js';

const plenty: Share = { questionsPerMinute: 1000, tokensPerMinute: 1_000_000, answersAtOnce: 1000 };
const shares = { socket: plenty, address: plenty, key: plenty };
const caller = { address: '192.0.2.1', socketId: 's1', key: 'k1' };
const refusal = { code: 'too-many-requests', retryable: true, retryAfterSeconds: expect.any(Number) };

test.each(['socket', 'address', 'key'] as const)(
  "bounds the questions of a %s, and nobody else's",
  async (kind) => {
    const quota = createAnswerQuota({ ...shares, [kind]: { ...plenty, questionsPerMinute: 2 } });
    for (let asked = 0; asked < 2; asked += 1) (await quota.admit(caller)).release({ tokens: 0 });
    await expect(quota.admit(caller)).rejects.toMatchObject(refusal);
    const other = { address: '192.0.2.2', socketId: 's2', key: 'k2' };
    await expect(quota.admit(other)).resolves.toBeDefined();
  },
);

test.each(['socket', 'address', 'key'] as const)('bounds the answers at a time of a %s', async (kind) => {
  const quota = createAnswerQuota({ ...shares, [kind]: { ...plenty, answersAtOnce: 1 } });
  const [first, second] = await Promise.allSettled([quota.admit(caller), quota.admit(caller)]);
  expect(second).toMatchObject({ status: 'rejected', reason: refusal });
  if (first.status === 'fulfilled') first.value.release({ tokens: 0 });
  await expect(quota.admit(caller)).resolves.toBeDefined();
});

test.each(['socket', 'address', 'key'] as const)(
  'makes a %s wait that has used up its tokens',
  async (kind) => {
    const quota = createAnswerQuota({ ...shares, [kind]: { ...plenty, tokensPerMinute: 100 } });
    (await quota.admit(caller)).release({ tokens: 99 });
    (await quota.admit(caller)).release({ tokens: 500 });
    await expect(quota.admit(caller)).rejects.toMatchObject(refusal);
  },
);

test('takes no place in one share when another refuses', async () => {
  const quota = createAnswerQuota({
    ...shares,
    socket: { ...plenty, answersAtOnce: 1 },
    key: { ...plenty, questionsPerMinute: 1 },
  });
  (await quota.admit(caller)).release({ tokens: 0 });
  await expect(quota.admit(caller)).rejects.toMatchObject(refusal);
  await expect(quota.admit({ address: '192.0.2.1', socketId: 's1' })).resolves.toBeDefined();
});

test('counts by address alone where there is no socket and no key', async () => {
  const quota = createAnswerQuota({ ...shares, address: { ...plenty, answersAtOnce: 1 } });
  await quota.admit({ address: '192.0.2.1' });
  await expect(quota.admit({ address: '192.0.2.1' })).rejects.toMatchObject(refusal);
});

test('makes nobody wait longer than a minute, whatever the clock does', async () => {
  vi.useFakeTimers();
  try {
    const quota = createAnswerQuota({ ...shares, key: { ...plenty, questionsPerMinute: 1 } });
    (await quota.admit(caller)).release({ tokens: 0 });
    vi.setSystemTime(Date.now() - 86_400_000);
    const refused = await quota
      .admit(caller)
      .catch((thrown: unknown) => thrown as { retryAfterSeconds: number });
    expect(refused).toMatchObject(refusal);
    expect((refused as { retryAfterSeconds: number }).retryAfterSeconds).toBeLessThanOrEqual(60);
    await vi.advanceTimersByTimeAsync(61_000);
    await expect(quota.admit(caller)).resolves.toBeDefined();
    vi.setSystemTime(Date.now() + 86_400_000);
    await expect(quota.admit(caller)).resolves.toBeDefined();
  } finally {
    vi.useRealTimers();
  }
});
