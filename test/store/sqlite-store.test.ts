import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSqliteStore } from '../../src/store/sqlite-store.js';
import { conversationStoreContract } from '../contracts/conversation-store.js';
import { feedbackStoreContract } from '../contracts/feedback-store.js';
import { traceStoreContract } from '../contracts/trace-store.js';
import { killAfterLines } from '../support/kill-after-lines.js';

const newPlaceOf = (maxTraces?: number) => async () => {
  const folder = await mkdtemp(join(tmpdir(), 'askbase-store-'));
  const file = join(folder, 'data', 'store.db');
  return {
    open: () => createSqliteStore({ file, ...(maxTraces === undefined ? {} : { maxTraces }) }),
    remove: () => rm(folder, { recursive: true }),
  };
};

conversationStoreContract('sqlite', newPlaceOf());
traceStoreContract('sqlite', 5, newPlaceOf(5));
feedbackStoreContract('sqlite', newPlaceOf());

test('loses no frame it acknowledged when the process is killed in the middle of answers', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'askbase-store-'));
  const file = join(folder, 'store.db');
  for (let run = 1; run <= 3; run += 1) {
    const lines = await killAfterLines('./frame-writer-child', [file, String(run)], 40 * run + 1);
    const store = await createSqliteStore({ file });
    for (const line of lines) {
      const [messageId, seq] = line.split(' ') as [string, string];
      const frames = await store.readFrames(messageId, Number(seq) - 1);
      expect(frames?.[0], line).toMatchObject({ messageId, seq: Number(seq) });
    }
    await store.interruptRunning();
    const messages = await store.readConversation('c1');
    expect(messages?.filter(({ status }) => status === 'running')).toEqual([]);
    await store.close();
  }
  await rm(folder, { recursive: true });
});

test('loses no key and no revocation it acknowledged when the process is killed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'askbase-store-'));
  const file = join(folder, 'store.db');
  for (let run = 1; run <= 3; run += 1) {
    const lines = await killAfterLines('./key-writer-child', [file, String(run)], 30 * run + 1);
    const store = await createSqliteStore({ file });
    for (const line of lines) {
      const [what, id] = line.split(' ') as [string, string];
      const key = await store.readKey(id);
      expect(key, line).toMatchObject({ id, secretHash: 'ab'.repeat(32) });
      if (what === 'revoked') expect(key?.revokedAt, line).toBe('2026-11-26T00:00:00.000Z');
    }
    await store.close();
  }
  await rm(folder, { recursive: true });
});

test('says why it cannot open a file that is no database', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'askbase-store-'));
  const file = join(folder, 'store.db');
  await writeFile(file, 'not a database '.repeat(1000));
  await expect(createSqliteStore({ file })).rejects.toMatchObject({
    name: 'AppError',
    code: 'unavailable',
    message: 'The database file is not an SQLite database.',
  });
  await rm(folder, { recursive: true });
});

test('answers unavailable once it is closed', async () => {
  const { open, remove } = await newPlaceOf()();
  const store = await open();
  await store.close();
  await expect(store.readMessage('m1')).rejects.toMatchObject({ code: 'unavailable' });
  await store.close();
  await remove();
});
