import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConversationStore } from '../../src/store/conversation-store.js';
import type { Feedback, FeedbackStore } from '../../src/store/feedback-store.js';
import type { StorePlace } from './conversation-store.js';

type Store = FeedbackStore & Pick<ConversationStore, 'startMessage' | 'deleteConversation' | 'close'>;

export function feedbackStoreContract(name: string, newPlace: () => Promise<StorePlace<Store>>): void {
  describe(`FeedbackStore on ${name}`, () => {
    let place: StorePlace<Store>;
    let store: Store;

    beforeEach(async () => {
      place = await newPlace();
      store = await place.open();
      await store.startMessage({
        conversationId: 'c1',
        messageId: 'm1',
        knowledgeBase: 'shop',
        question: 'q',
        askedAt: '2026-11-21T00:00:00.000Z',
      });
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    const up: Feedback = {
      messageId: 'm1',
      verdict: 'up',
      passageIds: ['p1'],
      at: '2026-11-21T00:00:00.000Z',
    };

    test('keeps one verdict per message, the last one, across a restart', async () => {
      expect(await store.readFeedback('m1')).toBeUndefined();
      await store.giveFeedback(up);
      const down: Feedback = { ...up, verdict: 'down', passageIds: [], comment: '不对 😀' };
      await store.giveFeedback(down);
      await store.close();
      store = await place.open();
      expect(await store.readFeedback('m1')).toEqual(down);
    });

    test('refuses feedback on a message that is not there', async () => {
      await expect(store.giveFeedback({ ...up, messageId: 'none' })).rejects.toMatchObject({
        name: 'AppError',
        code: 'not-found',
      });
    });

    test('gives every verdict once, however many there are', async () => {
      const ids = Array.from({ length: 450 }, (_, index) => `n${index}`);
      for (const messageId of ids) {
        await store.startMessage({
          conversationId: `of ${messageId}`,
          messageId,
          knowledgeBase: 'shop',
          question: 'q',
          askedAt: '2026-11-21T00:00:00.000Z',
        });
        await store.giveFeedback({ ...up, messageId });
      }
      await store.deleteConversation('of n7');
      const read: string[] = [];
      for await (const { messageId } of store.readAllFeedback()) read.push(messageId);
      expect(read.toSorted()).toEqual(ids.filter((id) => id !== 'n7').toSorted());
    });

    test('goes with its conversation', async () => {
      await store.giveFeedback(up);
      await store.deleteConversation('c1');
      expect(await store.readFeedback('m1')).toBeUndefined();
    });
  });
}
