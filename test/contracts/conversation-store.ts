import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FrameBody } from '../../src/frames.js';
import { LOCAL_OWNER } from '../../src/identity/identity.js';
import type { ConversationStore, StoredMessage } from '../../src/store/conversation-store.js';
import type { Turn } from '../../src/types.js';
import { completedBody, framesOf, startedBody } from '../support/frames.js';

/** A place to keep things: empty at first, opened again and again. */
export interface StorePlace<S> {
  open(): Promise<S>;
  remove(): Promise<void>;
}

export function conversationStoreContract(
  name: string,
  newPlace: () => Promise<StorePlace<ConversationStore>>,
): void {
  describe(`ConversationStore on ${name}`, () => {
    let place: StorePlace<ConversationStore>;
    let store: ConversationStore;

    beforeEach(async () => {
      place = await newPlace();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    const message = (
      conversationId: string,
      messageId: string,
      question = `About ${messageId}?`,
    ): Omit<StoredMessage, 'status'> => ({
      conversationId,
      messageId,
      knowledgeBase: 'shop',
      question,
      askedAt: `2026-11-21T00:00:0${messageId.at(-1)}.000Z`,
    });
    const answer = async (conversationId: string, messageId: string, bodies: FrameBody[]): Promise<void> => {
      await store.startMessage(message(conversationId, messageId));
      await store.appendFrames(framesOf(conversationId, messageId, bodies));
    };

    test('gives every frame back as it was, in order, from any place on', async () => {
      const frames = framesOf('c1', 'm1', [
        startedBody('What?'),
        { type: 'text-delta', text: '你好 😀 \u0000 \u2028 ' },
        { type: 'text-delta', text: 'again' },
        completedBody('你好 again'),
      ]);
      await store.startMessage(message('c1', 'm1'));
      await store.appendFrames(frames.slice(0, 1));
      await store.appendFrames(frames.slice(1));
      expect(await store.readFrames('m1', -1)).toEqual(frames);
      expect(await store.readFrames('m1', 1)).toEqual(frames.slice(2));
      expect(await store.readFrames('m1', 3)).toEqual([]);
      expect(await store.readFrames('m1', 99)).toEqual([]);
      expect(await store.readFrames('none', -1)).toBeUndefined();
    });

    test('follows a message from running to its end', async () => {
      await store.startMessage(message('c1', 'm1'));
      expect(await store.readMessage('m1')).toEqual({ ...message('c1', 'm1'), status: 'running' });
      await store.appendFrames(framesOf('c1', 'm1', [startedBody('What?')]));
      expect(await store.readMessage('m1')).toMatchObject({ status: 'running' });
      await store.appendFrames(framesOf('c1', 'm1', [completedBody('No.', 'no-answer')], 1));
      expect(await store.readMessage('m1')).toMatchObject({ status: 'no-answer' });
      expect(await store.readMessage('none')).toBeUndefined();
    });

    test('leaves frames that are already there, and adds none after the last', async () => {
      await answer('c1', 'm1', [startedBody('What?'), { type: 'text-delta', text: 'first' }]);
      await store.appendFrames(
        framesOf('c1', 'm1', [{ type: 'text-delta', text: 'second' }, completedBody('first')], 1),
      );
      await store.appendFrames(framesOf('c1', 'm1', [completedBody('other', 'no-answer')], 3));
      const frames = await store.readFrames('m1', -1);
      expect(frames?.map(({ type }) => type)).toEqual(['answer-started', 'text-delta', 'answer-completed']);
      expect(frames?.[1]).toMatchObject({ text: 'first' });
      expect(await store.readMessage('m1')).toMatchObject({ status: 'answered' });
    });

    test('keeps the frames of many messages that stream at once, each in order', async () => {
      const ids = Array.from({ length: 40 }, (_, number) => `m${number}`);
      await Promise.all(ids.map((id) => store.startMessage(message(`c-${id}`, id))));
      const stream = async (id: string): Promise<void> => {
        await store.appendFrames(framesOf(`c-${id}`, id, [startedBody(id)]));
        for (let seq = 1; seq <= 20; seq += 1) {
          await store.appendFrames(
            framesOf(`c-${id}`, id, [{ type: 'text-delta', text: `${id} ${seq}` }], seq),
          );
        }
        await store.appendFrames(framesOf(`c-${id}`, id, [completedBody(id)], 21));
      };
      await Promise.all(ids.map(stream));
      for (const id of ids) {
        const frames = await store.readFrames(id, -1);
        expect(frames?.map(({ seq }) => seq)).toEqual(Array.from({ length: 22 }, (_, seq) => seq));
        expect(frames?.[20]).toMatchObject({ text: `${id} 20` });
      }
    });

    test('refuses frames of a message that is not there, and keeps those of others written with them', async () => {
      await store.startMessage(message('c1', 'm1'));
      const [known, unknown] = await Promise.allSettled([
        store.appendFrames(framesOf('c1', 'm1', [startedBody('What?')])),
        store.appendFrames(framesOf('c1', 'none', [startedBody('What?')])),
      ]);
      expect(known.status).toBe('fulfilled');
      expect(unknown).toMatchObject({ status: 'rejected', reason: { name: 'AppError', code: 'not-found' } });
      expect(await store.readFrames('m1', -1)).toHaveLength(1);
    });

    test('keeps every version of an answer, and takes the last that was answered for the turn', async () => {
      await answer('c1', 'm1', [startedBody('one'), completedBody('First answer')]);
      await answer('c1', 'm2', [startedBody('two'), completedBody('Answer two')]);
      for (const [id, text] of [
        ['m3', 'Second answer'],
        ['m4', 'Third answer'],
      ] as const) {
        await store.startMessage({ ...message('c1', id), regenerates: 'm1' });
        await store.appendFrames(framesOf('c1', id, [startedBody('one'), completedBody(text)]));
      }
      await store.startMessage({ ...message('c1', 'm5'), regenerates: 'm1' });
      await store.appendFrames(framesOf('c1', 'm5', [startedBody('one'), completedBody('No.', 'no-answer')]));
      const versions = (await store.readConversation('c1'))?.map(({ messageId, regenerates }) => [
        messageId,
        regenerates,
      ]);
      expect(versions).toEqual([
        ['m1', undefined],
        ['m2', undefined],
        ['m3', 'm1'],
        ['m4', 'm1'],
        ['m5', 'm1'],
      ]);
      expect(await store.readMessage('m3')).toMatchObject({ regenerates: 'm1', status: 'answered' });
      expect(await store.readMessage('m1')).not.toHaveProperty('regenerates');
      expect(await store.readFrames('m1', 0)).toMatchObject([{ text: 'First answer' }]);
      const answers = (turns: Turn[]): string[] => turns.map((turn) => turn.answer);
      expect(answers(await store.readTurns('c1', 10))).toEqual(['Third answer', 'Answer two']);
      expect(answers(await store.readTurns('c1', 1))).toEqual(['Answer two']);
      expect(answers(await store.readTurns('c1', 10, { before: 'm2' }))).toEqual(['Third answer']);
      expect(await store.readTurns('c1', 10, { before: 'm1' })).toEqual([]);
    });

    test('gives questions without an answer as turns too, where they were about the knowledge', async () => {
      await answer('c1', 'm1', [
        startedBody('one'),
        completedBody('Nothing', 'no-answer', 'below-threshold'),
      ]);
      await answer('c1', 'm2', [startedBody('two'), completedBody('How old?', 'no-answer', 'clarification')]);
      await answer('c1', 'm3', [startedBody('three'), completedBody('Call 120', 'no-answer', 'triage')]);
      expect(await store.readTurns('c1', 10)).toEqual([
        { question: 'About m1?', standalone: 'one', answer: 'Nothing', unanswered: true },
        { question: 'About m2?', standalone: 'two', answer: 'How old?', asksBack: true },
      ]);
      await store.startMessage({ ...message('c1', 'm4'), regenerates: 'm1' });
      await store.appendFrames(framesOf('c1', 'm4', [startedBody('one'), completedBody('Found')]));
      await store.startMessage({ ...message('c1', 'm5'), regenerates: 'm1' });
      const none = completedBody('Nothing', 'no-answer', 'no-hits');
      await store.appendFrames(framesOf('c1', 'm5', [startedBody('one'), none]));
      expect((await store.readTurns('c1', 10))[0]).toMatchObject({ answer: 'Found' });
    });

    test('gives the answered turns of a conversation, the last ones, oldest first', async () => {
      await answer('c1', 'm1', [startedBody('one, written out'), completedBody('Answer one')]);
      await answer('c1', 'm2', [startedBody('two'), completedBody('Sorry', 'no-answer')]);
      await answer('c1', 'm3', [startedBody('three'), completedBody('Answer three')]);
      await answer('c1', 'm4', [startedBody('four'), completedBody('Answer four')]);
      await answer('c1', 'm5', [startedBody('five')]);
      await answer('c2', 'm6', [startedBody('six'), completedBody('Answer six')]);
      expect(await store.readTurns('c1', 10)).toEqual([
        { question: 'About m1?', standalone: 'one, written out', answer: 'Answer one' },
        { question: 'About m3?', standalone: 'three', answer: 'Answer three' },
        { question: 'About m4?', standalone: 'four', answer: 'Answer four' },
      ]);
      expect((await store.readTurns('c1', 2)).map(({ standalone }) => standalone)).toEqual(['three', 'four']);
      expect(await store.readTurns('none', 10)).toEqual([]);
    });

    test('reads a conversation in order and lists conversations by their last message', async () => {
      await store.startMessage(message('c1', 'm1', 'First question?'));
      await store.startMessage(message('c2', 'm2'));
      await store.startMessage(message('c1', 'm3'));
      const messages = await store.readConversation('c1');
      expect(messages?.map(({ messageId }) => messageId)).toEqual(['m1', 'm3']);
      expect(await store.readConversation('none')).toBeUndefined();
      expect(await store.listConversations({ limit: 10 })).toEqual([
        {
          conversationId: 'c1',
          knowledgeBase: 'shop',
          title: 'First question?',
          messages: 2,
          createdAt: '2026-11-21T00:00:01.000Z',
          updatedAt: '2026-11-21T00:00:03.000Z',
        },
        expect.objectContaining({ conversationId: 'c2', messages: 1 }),
      ]);
      expect(await store.listConversations({ limit: 1 })).toHaveLength(1);
    });

    test('refuses a conversation of another knowledge base and a message id that is taken', async () => {
      await store.startMessage(message('c1', 'm1'));
      await expect(
        store.startMessage({ ...message('c1', 'm2'), knowledgeBase: 'health' }),
      ).rejects.toMatchObject({
        code: 'not-found',
      });
      await expect(store.startMessage(message('c2', 'm1'))).rejects.toMatchObject({ code: 'conflict' });
      expect(await store.readMessage('m2')).toBeUndefined();
      expect(await store.readConversation('c2')).toBeUndefined();
    });

    test('keeps whose a conversation is, refuses it to others, and lists by owner and knowledge base', async () => {
      await store.startMessage({ ...message('c1', 'm1'), owner: 'tenant:a' });
      await store.startMessage({ ...message('c2', 'm2'), owner: 'tenant:b' });
      await store.startMessage({ ...message('c3', 'm3'), owner: 'tenant:b', knowledgeBase: 'health' });
      await store.startMessage(message('c4', 'm4'));
      expect(await store.ownerOfMessage('m2')).toEqual({ owner: 'tenant:b', knowledgeBase: 'shop' });
      expect(await store.ownerOfConversation('c3')).toEqual({ owner: 'tenant:b', knowledgeBase: 'health' });
      expect(await store.ownerOfConversation('c4')).toEqual({ owner: LOCAL_OWNER, knowledgeBase: 'shop' });
      expect(await store.ownerOfMessage('none')).toBeUndefined();
      expect(await store.ownerOfConversation('none')).toBeUndefined();
      await expect(store.startMessage({ ...message('c1', 'm5'), owner: 'tenant:b' })).rejects.toMatchObject({
        code: 'not-found',
      });
      expect(await store.readMessage('m5')).toBeUndefined();
      const ids = async (options: object): Promise<string[]> =>
        (await store.listConversations({ limit: 9, ...options })).map(({ conversationId }) => conversationId);
      expect(await ids({ owner: 'tenant:b' })).toEqual(['c3', 'c2']);
      expect(await ids({ owner: 'tenant:b', knowledgeBases: ['shop'] })).toEqual(['c2']);
      expect(await ids({ knowledgeBases: ['health'] })).toEqual(['c3']);
      expect(await ids({ knowledgeBases: [] })).toEqual([]);
    });

    test('deletes a conversation with everything in it', async () => {
      await answer('c1', 'm1', [startedBody('one'), completedBody('One')]);
      await answer('c2', 'm2', [startedBody('two'), completedBody('Two')]);
      expect(await store.deleteConversation('c1')).toBe(true);
      expect(await store.deleteConversation('c1')).toBe(false);
      expect(await store.readFrames('m1', -1)).toBeUndefined();
      expect(await store.readTurns('c1', 9)).toEqual([]);
      expect(await store.readFrames('m2', -1)).toHaveLength(2);
    });

    test('deletes all conversations of an owner, and those that have been quiet since a time', async () => {
      await store.startMessage({ ...message('c1', 'm1'), owner: 'visitor:a' });
      await store.startMessage({ ...message('c2', 'm2'), owner: 'visitor:a' });
      await store.startMessage({ ...message('c3', 'm3'), owner: 'visitor:b' });
      await store.startMessage({ ...message('c4', 'm4'), owner: 'visitor:b' });
      expect(await store.deleteConversations({ owner: 'visitor:a' })).toBe(2);
      expect(await store.readFrames('m1', -1)).toBeUndefined();
      expect(await store.deleteConversations({ quietSince: '2026-11-21T00:00:04.000Z' })).toBe(1);
      expect(await store.readConversation('c3')).toBeUndefined();
      expect(await store.readConversation('c4')).toHaveLength(1);
    });

    test('ends what was running when a process died, at the next seq, once', async () => {
      await answer('c1', 'm1', [startedBody('one'), { type: 'text-delta', text: 'half' }]);
      await answer('c1', 'm2', [startedBody('two'), completedBody('Two')]);
      await store.startMessage(message('c1', 'm3'));
      await store.close();
      store = await place.open();
      expect(await store.interruptRunning()).toBe(2);
      expect((await store.readFrames('m1', 1))?.[0]).toMatchObject({
        conversationId: 'c1',
        messageId: 'm1',
        seq: 2,
        type: 'answer-failed',
        error: { code: 'interrupted', retryable: true },
      });
      expect(await store.readFrames('m3', -1)).toMatchObject([{ seq: 0, type: 'answer-failed' }]);
      expect(await store.readMessage('m1')).toMatchObject({ status: 'failed' });
      expect(await store.readMessage('m2')).toMatchObject({ status: 'answered' });
      expect(await store.interruptRunning()).toBe(0);
    });

    test('leaves what this process still writes', async () => {
      await store.startMessage(message('c1', 'm1'));
      await store.startMessage(message('c1', 'm2'));
      expect(await store.interruptRunning({ except: (messageId) => messageId === 'm1' })).toBe(1);
      expect(await store.readMessage('m1')).toMatchObject({ status: 'running' });
      expect(await store.readMessage('m2')).toMatchObject({ status: 'failed' });
    });

    test('lets what was asked for finish before it closes', async () => {
      await store.startMessage(message('c1', 'm1'));
      const writes = Array.from({ length: 10 }, (_, seq) =>
        store.appendFrames(framesOf('c1', 'm1', [{ type: 'text-delta', text: `${seq}` }], seq)),
      );
      await Promise.all([store.close(), ...writes]);
      store = await place.open();
      expect(await store.readFrames('m1', -1)).toHaveLength(10);
    });
  });
}
