import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConversationStore } from '../../src/store/conversation-store.js';
import type { TraceStore } from '../../src/store/trace-store.js';
import { traceOf } from '../support/frames.js';
import type { StorePlace } from './conversation-store.js';

type Store = TraceStore & Pick<ConversationStore, 'startMessage' | 'deleteConversation' | 'close'>;

/** @param newPlace makes stores that keep `maxTraces` traces */
export function traceStoreContract(
  name: string,
  maxTraces: number,
  newPlace: () => Promise<StorePlace<Store>>,
): void {
  describe(`TraceStore on ${name}`, () => {
    let place: StorePlace<Store>;
    let store: Store;

    beforeEach(async () => {
      place = await newPlace();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    const start = (messageId: string): Promise<void> =>
      store.startMessage({
        conversationId: 'c1',
        messageId,
        knowledgeBase: 'shop',
        question: 'q',
        askedAt: '2026',
      });

    test('gives back a trace as it was written, the last one of a message', async () => {
      await start('m1');
      await store.writeTrace(traceOf('m1'));
      const later = { ...traceOf('m1'), status: 'failed' as const };
      await store.writeTrace(later);
      expect(await store.readTrace('m1')).toEqual(later);
      expect(await store.readTrace('none')).toBeUndefined();
    });

    test('keeps the newest traces and lets the oldest go', async () => {
      const ids = Array.from({ length: maxTraces + 3 }, (_, number) => `m${number}`);
      for (const id of ids) {
        await start(id);
        await store.writeTrace(traceOf(id));
      }
      const kept = await Promise.all(ids.map((id) => store.readTrace(id)));
      expect(kept.map((trace) => trace !== undefined)).toEqual(ids.map((_, number) => number >= 3));
    });

    test('keeps no trace of a conversation that was deleted, before or after', async () => {
      await start('m1');
      await store.writeTrace(traceOf('m1'));
      await store.deleteConversation('c1');
      expect(await store.readTrace('m1')).toBeUndefined();
      await store.writeTrace(traceOf('m1'));
      expect(await store.readTrace('m1')).toBeUndefined();
    });
  });
}
