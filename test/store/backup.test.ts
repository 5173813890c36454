import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.js';
import { type FinishedCommand, startCommand } from '../support/command.js';

const QUESTION = { knowledgeBase: 'shop', text: 'How many days do I have to return an item?' };

describe('askbase backup and restore, beside a running server', () => {
  let running: TestApp;
  let folder: string;
  beforeAll(async () => {
    running = await startTestApp();
    folder = join(mkdtempSync(join(tmpdir(), 'askbase-backup-')), 'monday');
  });
  afterAll(async () => {
    await running.close();
    rmSync(join(folder, '..'), { recursive: true, force: true });
  });
  const askbase = (...args: string[]): Promise<FinishedCommand> =>
    startCommand('cli/askbase.ts', args, { env: { DATA_DIR: join(running.dir, 'data') }, cwd: running.dir })
      .finished;
  const upload = (name: string, text: string): request.Test =>
    request(running.url).post('/v1/knowledge-bases/other/documents').attach('files', Buffer.from(text), name);
  const ask = async (text: string): Promise<string> =>
    (await request(running.url).post('/v1/answers').send({ knowledgeBase: 'other', text })).body.text;

  it('bring back documents and conversations as they were, without a restart', async () => {
    await upload('attic.md', '# Attic\n\nThe attic lamp has 40 watts.').expect(200);
    const { body: before } = await request(running.url).post('/v1/answers').send(QUESTION).expect(200);
    expect(await askbase('backup', folder)).toMatchObject({ code: 0, stderr: '' });
    expect(Object.keys(JSON.parse(readFileSync(join(folder, 'backup.json'), 'utf8')).files)).toEqual([
      'index.db',
      'store.db',
    ]);
    expect(await askbase('backup', folder)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not empty'),
    });

    await request(running.url).delete('/v1/knowledge-bases/other/documents/attic.md').expect(204);
    await request(running.url).delete(`/v1/conversations/${before.conversationId}`).expect(204);
    await upload('roof.md', '# Roof\n\nThe roof lamp has 15 watts.').expect(200);
    expect(await ask('How many watts has the attic lamp?')).not.toContain('40 watts');

    expect(await askbase('restore', folder)).toMatchObject({ code: 0, stderr: '' });
    expect(await ask('How many watts has the attic lamp?')).toContain('40 watts');
    expect(await ask('How many watts has the roof lamp?')).not.toContain('15 watts');
    const { body: replay } = await request(running.url)
      .get(`/v1/answers/${before.messageId}/frames`)
      .expect(200);
    expect(replay.frames).toEqual(before.frames);
    await upload('cellar.md', '# Cellar\n\nThe cellar lamp has 9 watts.').expect(200);
    expect(await ask('How many watts has the cellar lamp?')).toContain('9 watts');
    expect(existsSync(join(running.dir, 'data/restoring-index.db'))).toBe(false);
  }, 600_000);

  it('change nothing where the backup is damaged, or of a newer version', async () => {
    const store = join(folder, 'store.db');
    const good = readFileSync(store);
    writeFileSync(store, good.subarray(0, good.length - 4096));
    expect(await askbase('restore', folder)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('damaged'),
    });
    writeFileSync(store, good);

    const newer = new DatabaseSync(store);
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    const manifest = JSON.parse(readFileSync(join(folder, 'backup.json'), 'utf8'));
    const { createHash } = await import('node:crypto');
    manifest.files['store.db'].sha256 = createHash('sha256').update(readFileSync(store)).digest('hex');
    writeFileSync(join(folder, 'backup.json'), JSON.stringify(manifest));
    const refused = await askbase('restore', folder);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('newer version of Askbase') });
    expect(await ask('How many watts has the cellar lamp?')).toContain('9 watts');
  }, 600_000);
});
