import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConversationStore } from '../../src/store/conversation-store.js';
import type { HandoffStore } from '../../src/store/handoff-store.js';

const AT = '2026-11-26T10:00:00.000Z';

type Store = HandoffStore &
  Pick<ConversationStore, 'startMessage' | 'deleteConversation'> & { close(): Promise<void> };

/** Where it stores: empty at first, and opened again and again. */
interface HandoffPlace {
  open(): Promise<Store>;
  remove(): Promise<void>;
}

export function handoffStoreContract(name: string, newPlace: () => Promise<HandoffPlace>): void {
  describe(`HandoffStore on ${name}`, () => {
    let place: HandoffPlace;
    let store: Store;
    const start = (conversationId: string, messageId: string) =>
      store.startMessage({ conversationId, messageId, knowledgeBase: 'shop', question: 'Why?', askedAt: AT });

    beforeEach(async () => {
      place = await newPlace();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
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
      store = await place.open();
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
      expect(await store.readOperatorMessages('c1')).toEqual([]);
      expect(await store.listHandled({ limit: 10 })).toEqual([]);
    });

    it('holds a thousand messages of people in one conversation', async () => {
      await start('c1', 'm1');
      const write = (number: number) =>
        store.addOperatorMessage({
          operatorMessageId: `o${number}`,
          conversationId: 'c1',
          operator: 'Mei',
          text: `Line ${number}`,
          sentAt: AT,
        });
      await Promise.all(Array.from({ length: 1000 }, (_, number) => write(number)));
      await expect(write(1000)).rejects.toMatchObject({ code: 'conflict' });
      expect(await store.readOperatorMessages('c1')).toHaveLength(1000);
    });
  });
}
