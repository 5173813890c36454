import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { createSqliteStore } from '../../src/store/sqlite-store.js';
import { ROOT_DIR } from '../support/app.js';
import { completedBody, framesOf, startedBody } from '../support/frames.js';
import { silentLogger } from '../support/silent-logger.js';

let dir: string;
let mounted = false;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'askbase-disk-'));
});
afterEach(() => {
  if (mounted) execFileSync('umount', ['-l', dir]);
  mounted = false;
  rmSync(dir, { recursive: true, force: true });
});

/** A disk of its own, two megabytes small: only root may make one. */
function mountSmallDisk(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', dir], { stdio: 'ignore' });
    mounted = true;
  } catch {
    mounted = false;
  }
  return mounted;
}

const message = (number: number, question = 'q') => ({
  conversationId: 'c1',
  messageId: `m${number}`,
  knowledgeBase: 'shop',
  question,
  askedAt: '2026-11-21T00:00:00.000Z',
});

describe('a disk', () => {
  it('that is full is said to be, what was acknowledged stays, and writing goes on once there is room', async (context) => {
    if (!mountSmallDisk()) return context.skip('a small disk cannot be mounted here');
    const store = await createSqliteStore({ file: join(dir, 'store.db') });
    await store.startMessage(message(0));
    await store.appendFrames(framesOf('c1', 'm0', [startedBody('q'), completedBody('kept')]));
    writeFileSync(join(dir, 'ballast'), Buffer.alloc(700_000));
    const fill = async (): Promise<void> => {
      for (let number = 1; number < 1000; number += 1)
        await store.startMessage(message(number, 'x'.repeat(4000)));
    };
    await expect(fill()).rejects.toMatchObject({ code: 'unavailable', message: 'The disk is full.' });
    expect(await store.readFrames('m0', -1)).toHaveLength(2);
    rmSync(join(dir, 'ballast'));
    await store.startMessage(message(5000));
    expect(await store.readMessage('m5000')).toMatchObject({ status: 'running' });
    await store.close();
  });

  it('that is read-only is said to be, at start', async (context) => {
    if (!mountSmallDisk()) return context.skip('a small disk cannot be mounted here');
    execFileSync('mount', ['-o', 'remount,ro', dir]);
    await expect(createSqliteStore({ file: join(dir, 'store.db') })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/cannot be opened|read-only/),
    });
  });
});

/** Root may write everywhere: the test takes the rights of nobody for a while. */
async function withoutRights<T>(run: () => Promise<T>): Promise<T> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    return await run();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
const NOBODY = 65_534;

describe('a folder without permission', () => {
  it('to write is named as what is wrong, whether the file is to be made or written to', async () => {
    const file = join(dir, 'store.db');
    chmodSync(dir, 0o555);
    const open = () => createSqliteStore({ file });
    const refused = {
      code: 'unavailable',
      message: expect.stringMatching(/cannot be opened|cannot be written/),
    };
    await expect(withoutRights(open)).rejects.toMatchObject(refused);
    chmodSync(dir, 0o755);
    await (await open()).close();
    chmodSync(file, 0o444);
    chmodSync(dir, 0o555);
    await expect(withoutRights(open)).rejects.toMatchObject(refused);
    chmodSync(dir, 0o755);
  });

  it('to be made in is named by the server that will not start', async () => {
    chmodSync(dir, 0o555);
    const config = readConfig({ DATA_DIR: join(dir, 'data'), MODELS_DIR: dir, KNOWLEDGE_DIR: dir }, ROOT_DIR);
    const start = () => createApp(config, { logger: silentLogger, version: '0', browserDir: dir });
    await expect(withoutRights(start)).rejects.toMatchObject({
      code: 'unavailable',
      message: `DATA_DIR cannot be written to: ${join(dir, 'data')} (EACCES).`,
    });
    chmodSync(dir, 0o755);
  });
});

describe('a database file', () => {
  it('of the first version is brought forward with all that is in it', async () => {
    const file = join(dir, 'store.db');
    const old = new DatabaseSync(file);
    old.exec(`
      CREATE TABLE conversations (
        conversation_id TEXT PRIMARY KEY, knowledge_base TEXT NOT NULL, title TEXT NOT NULL,
        created_at TEXT NOT NULL, updated_at TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE messages (
        number INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT NOT NULL UNIQUE,
        conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE, question TEXT NOT NULL,
        asked_at TEXT NOT NULL, status TEXT NOT NULL, standalone TEXT, answer TEXT) STRICT;
      CREATE TABLE frames (
        message INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE, seq INTEGER NOT NULL, frame TEXT NOT NULL,
        PRIMARY KEY (message, seq)) STRICT, WITHOUT ROWID;
      CREATE TABLE traces (
        number INTEGER PRIMARY KEY AUTOINCREMENT, message INTEGER NOT NULL UNIQUE REFERENCES messages ON DELETE CASCADE,
        trace TEXT NOT NULL) STRICT;
      CREATE TABLE feedback (
        message INTEGER PRIMARY KEY REFERENCES messages ON DELETE CASCADE, feedback TEXT NOT NULL) STRICT;
      INSERT INTO conversations VALUES ('c1', 'shop', 'Old?', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z');
      INSERT INTO messages (message_id, conversation_id, question, asked_at, status, answer)
        VALUES ('m1', 'c1', 'Old?', '2026-01-01T00:00:00.000Z', 'answered', 'Yes.');
      PRAGMA user_version = 1;`);
    old.close();
    const store = await createSqliteStore({ file });
    expect(await store.readTurns('c1', 5)).toEqual([
      { question: 'Old?', standalone: 'Old?', answer: 'Yes.' },
    ]);
    expect(await store.ownerOfConversation('c1')).toEqual({ owner: 'local', knowledgeBase: 'shop' });
    expect(await store.listKeys()).toEqual([]);
    await store.close();
  });

  it('of a newer version is refused, and left as it is', async () => {
    const file = join(dir, 'store.db');
    const newer = new DatabaseSync(file);
    newer.exec('CREATE TABLE future (x); PRAGMA user_version = 99');
    newer.close();
    await expect(createSqliteStore({ file })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'The database file was written by a newer version of Askbase.',
    });
    const same = new DatabaseSync(file);
    expect(same.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()).toMatchObject({ tables: 1 });
    same.close();
  });

  it('keeps messages in the order they came, whatever the clock says', async () => {
    const store = await createSqliteStore({ file: join(dir, 'store.db') });
    await store.startMessage({ ...message(1), askedAt: '2030-01-01T00:00:00.000Z' });
    await store.startMessage({ ...message(2), askedAt: '2020-01-01T00:00:00.000Z' });
    const messages = await store.readConversation('c1');
    expect(messages?.map(({ messageId }) => messageId)).toEqual(['m1', 'm2']);
    const [conversation] = await store.listConversations({ limit: 1 });
    expect(conversation).toMatchObject({ updatedAt: '2030-01-01T00:00:00.000Z' });
    await store.close();
  });
});
