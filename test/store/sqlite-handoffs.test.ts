import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSqliteStore } from '../../src/store/sqlite-store.js';
import { handoffStoreContract } from '../contracts/handoff-store.js';
import { completedBody, framesOf, startedBody } from '../support/frames.js';

const AT = '2026-11-26T10:00:00.000Z';

handoffStoreContract('sqlite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'askbase-handoffs-'));
  return {
    open: () => createSqliteStore({ file: join(folder, 'store.db') }),
    remove: async () => rmSync(folder, { recursive: true }),
  };
});

describe('a question that was asked back about, in SQLite', () => {
  let dir: string;
  let store: Awaited<ReturnType<typeof createSqliteStore>>;
  const open = () => createSqliteStore({ file: join(dir, 'store.db') });
  const start = (conversationId: string, messageId: string) =>
    store.startMessage({ conversationId, messageId, knowledgeBase: 'shop', question: 'Why?', askedAt: AT });

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'askbase-handoffs-'));
    store = await open();
  });
  afterEach(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });

  it('is a turn, marked as one', async () => {
    await start('c1', 'm1');
    const asked = {
      ...completedBody('How old is the person?', 'no-answer'),
      reason: 'clarification',
    } as never;
    await store.appendFrames(framesOf('c1', 'm1', [startedBody('I have a fever'), asked]));
    expect(await store.readTurns('c1', 5)).toEqual([
      { question: 'Why?', standalone: 'I have a fever', answer: 'How old is the person?', asksBack: true },
    ]);
  });
});
