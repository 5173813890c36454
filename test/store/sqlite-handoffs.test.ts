import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSqliteStore } from '../../src/store/sqlite-store.js';
import { completedBody, framesOf, startedBody } from '../support/frames.js';

const AT = '2026-11-26T10:00:00.000Z';

describe('who answers in a conversation, in SQLite', () => {
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

  it('is kept with what people wrote, across a restart', async () => {
    await start('c1', 'm1');
    const handling = { state: 'operator', operator: 'Mei', since: AT } as const;
    await store.changeHandling('c1', ['assistant'], handling);
    const written = {
      operatorMessageId: 'o1',
      conversationId: 'c1',
      operator: 'Mei',
      text: '您好',
      sentAt: AT,
    };
    await store.addOperatorMessage(written);
    await store.close();
    store = await open();
    expect(await store.readHandling('c1')).toEqual(handling);
    expect(await store.readOperatorMessages('c1')).toEqual([{ ...written, afterMessageId: 'm1' }]);
  });

  it('changes only from a state it is in', async () => {
    await start('c1', 'm1');
    const mei = { state: 'operator', operator: 'Mei', since: AT } as const;
    await store.changeHandling('c1', ['assistant', 'waiting'], mei);
    const li = { state: 'operator', operator: 'Li', since: AT } as const;
    expect(await store.changeHandling('c1', ['assistant', 'waiting'], li)).toEqual(mei);
    expect(await store.readHandling('c1')).toEqual(mei);
  });

  it('lists those that wait before those that have somebody, and neither the others', async () => {
    for (const id of ['c1', 'c2', 'c3', 'c4']) await start(id, `m-${id}`);
    await store.changeHandling('c1', ['assistant'], { state: 'operator', operator: 'Mei', since: AT });
    await store.changeHandling('c2', ['assistant'], {
      state: 'waiting',
      reason: 'asked',
      since: '2026-11-26T11:00:00Z',
    });
    await store.changeHandling('c3', ['assistant'], {
      state: 'waiting',
      reason: 'anger',
      since: '2026-11-26T09:00:00Z',
    });
    const listed = await store.listHandled({ limit: 10 });
    expect(listed.map(({ conversationId }) => conversationId)).toEqual(['c3', 'c2', 'c1']);
  });

  it('refuses a conversation that is not there, and goes with one that is deleted', async () => {
    const waiting = { state: 'waiting', since: AT } as const;
    await expect(store.changeHandling('none', ['assistant'], waiting)).rejects.toMatchObject({
      code: 'not-found',
    });
    await start('c1', 'm1');
    await store.changeHandling('c1', ['assistant'], waiting);
    await store.deleteConversation('c1');
    expect(await store.readHandling('c1')).toBeUndefined();
    expect(await store.listHandled({ limit: 10 })).toEqual([]);
  });

  it('gives a question that was asked back about as a turn, marked as one', async () => {
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
