import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../../src/errors.js';
import { type AnswerFrame, type FrameBody, frameSchema } from '../../src/frames.js';
import type { Ask } from '../../src/pipeline.js';
import type { ConversationStore } from '../../src/store/conversation-store.js';
import { createSqliteStore } from '../../src/store/sqlite-store.js';
import {
  type AnswerLimits,
  type AnswerRunner,
  type AnswerRunnerOptions,
  createAnswerRunner,
} from '../../src/stream/answer-runner.js';
import { createMemoryConversationStore } from '../fakes/memory-conversation-store.js';
import {
  completed,
  createEndless,
  createGate,
  createKnowledgeBases,
  createMemoryLogger,
  delta,
  echo,
  shop,
  started,
} from './scripted-answers.js';

interface Setup {
  runner: AnswerRunner;
  conversations: ConversationStore;
  logger: ReturnType<typeof createMemoryLogger>;
}

function setUp(
  pipeline: AnswerRunnerOptions['pipeline'] = echo,
  limits: Partial<AnswerLimits> = {},
  conversations = createMemoryConversationStore(),
): Setup {
  const logger = createMemoryLogger();
  const knowledgeBases = createKnowledgeBases(shop, { ...shop, id: 'manual' });
  const runner = createAnswerRunner({ pipeline, conversations, knowledgeBases, logger, limits });
  return { runner, conversations, logger };
}

const stay = (): AbortSignal => new AbortController().signal;
const question = { knowledgeBase: 'shop', text: 'How long?' };

async function framesOf(runner: AnswerRunner, messageId: string, afterSeq = -1): Promise<AnswerFrame[]> {
  const frames: AnswerFrame[] = [];
  for await (const frame of runner.follow(messageId, afterSeq, { signal: stay() })) frames.push(frame);
  return frames;
}

async function ask(runner: AnswerRunner, input: unknown = question): Promise<AnswerFrame[]> {
  const { messageId } = await runner.start(input);
  return framesOf(runner, messageId);
}

const textOf = (frames: AnswerFrame[]): string =>
  frames.map((frame) => (frame.type === 'text-delta' ? frame.text : '')).join('');
const seqsOf = (frames: AnswerFrame[]): number[] => frames.map(({ seq }) => seq);
const countUp = (length: number): number[] => Array.from({ length }, (_, index) => index);

describe('An answer', () => {
  it('is a sequence of frames of the protocol, numbered from 0 without gaps, with one final frame at its end', async () => {
    const frames = await ask(setUp().runner);
    expect(seqsOf(frames)).toEqual(countUp(frames.length));
    for (const frame of frames) expect(frameSchema.parse(frame)).toEqual(frame);
    expect(frames.at(-1)).toMatchObject({ type: 'answer-completed', text: 'You asked: How long?' });
    expect(frames.filter(({ type }) => type.startsWith('answer-') && type !== 'answer-started')).toHaveLength(
      1,
    );
  });

  it('keeps the order of its frames and loses no text when deltas are joined', async () => {
    const words = Array.from({ length: 500 }, (_, index) => `${index} `);
    const { runner } = setUp(async function* ({ text }) {
      yield started(text);
      for (const [index, word] of words.entries()) {
        yield delta(word);
        if (index === 250) yield { type: 'handoff-requested', reason: 'here' };
        if (index % 50 === 0) await new Promise(setImmediate);
      }
      yield completed(words.join(''));
    });
    const frames = await ask(runner);
    const mark = frames.findIndex(({ type }) => type === 'handoff-requested');
    expect(textOf(frames)).toBe(words.join(''));
    expect(textOf(frames.slice(0, mark))).toBe(words.slice(0, 251).join(''));
    expect(frames.length).toBeLessThan(100);
  });

  it('is stored frame by frame before anyone sees a frame', async () => {
    const { runner, conversations } = setUp();
    const { messageId } = await runner.start(question);
    for await (const frame of runner.follow(messageId, -1, { signal: stay() })) {
      expect(await conversations.readFrames(messageId, frame.seq - 1)).toContainEqual(frame);
    }
    expect(await conversations.readMessage(messageId)).toMatchObject({
      status: 'answered',
      question: 'How long?',
    });
  });

  it('shows its final frame only when the pipeline has ended, so that the trace is there', async () => {
    let traceWritten = false;
    const { runner } = setUp(async function* ({ text }) {
      try {
        yield completed(text);
      } finally {
        await new Promise(setImmediate);
        traceWritten = true;
      }
    });
    await ask(runner);
    expect(traceWritten).toBe(true);
  });

  it('stays an answer when its trace cannot be written, and the log says so', async () => {
    const { runner, logger } = setUp(async function* () {
      yield completed('Done.');
      throw new Error('disk full');
    });
    expect((await ask(runner)).map(({ type }) => type)).toEqual(['answer-completed']);
    expect(logger.lines).toContainEqual(
      expect.objectContaining({ level: 'error', message: 'answer failed' }),
    );
  });

  it.each<[string, () => Iterable<FrameBody>, string]>([
    [
      'throws something unforeseen',
      () => {
        throw new Error('secret upstream text');
      },
      'internal',
    ],
    [
      'throws an error of ours',
      () => {
        throw new AppError('model-failed');
      },
      'model-failed',
    ],
    ['ends without a result', () => [], 'internal'],
  ])('fails as a final frame when the pipeline %s', async (_, end, code) => {
    const { runner, conversations } = setUp(async function* ({ text }) {
      yield started(text);
      yield delta('Half an ');
      yield* end();
    });
    const frames = await ask(runner);
    expect(textOf(frames)).toBe('Half an ');
    expect(frames.at(-1)).toMatchObject({ type: 'answer-failed', error: { code } });
    expect(JSON.stringify(frames)).not.toContain('secret upstream text');
    expect(await conversations.readMessage(frames[0]?.messageId ?? '')).toMatchObject({ status: 'failed' });
  });

  it('fails when the pipeline throws before its first frame', async () => {
    const frames = await ask(
      setUp(() => {
        throw new Error('not even a generator');
      }).runner,
    );
    expect(frames).toMatchObject([{ seq: 0, type: 'answer-failed', error: { code: 'internal' } }]);
  });

  it('has no frames after its final one, whatever the pipeline yields', async () => {
    const { runner } = setUp(async function* () {
      yield completed('Done.');
      yield delta('and more');
      await new Promise(setImmediate);
      yield completed('Twice.');
    });
    expect(await ask(runner)).toMatchObject([{ type: 'answer-completed', text: 'Done.' }]);
  });

  it('fails, aborts the pipeline and still ends when its frames cannot be stored', async () => {
    const conversations = createMemoryConversationStore();
    let calls = 0;
    const broken: ConversationStore = {
      ...conversations,
      appendFrames: async (frames) => {
        calls += 1;
        if (calls > 1) throw new AppError('unavailable', 'The disk is full.');
        return conversations.appendFrames(frames);
      },
    };
    const endless = createEndless();
    const { runner } = setUp(endless.pipeline, {}, broken);
    const frames = await ask(runner);
    await endless.aborted;
    expect(frames.map(({ type }) => type)).toEqual(['answer-started', 'answer-failed']);
    expect(frames.at(-1)).toMatchObject({ seq: 1, error: { code: 'unavailable' } });
  });
});

describe('Asking', () => {
  it.each([
    ['no question', undefined, 'invalid'],
    ['blank text', { ...question, text: ' \n ' }, 'invalid'],
    ['huge text', { ...question, text: 'x'.repeat(4001) }, 'invalid'],
    ['half a character', { ...question, text: 'a\ud800' }, 'invalid'],
    ['a text of the wrong type', { ...question, text: 42 }, 'invalid'],
    ['a prompt of the client', { ...question, prompt: 'Obey.' }, 'invalid'],
    ['a conversation id of the wrong shape', { ...question, conversationId: 'mine' }, 'invalid'],
    [
      'a text that says it is an image',
      { ...question, images: ['data:image/png;base64,SGVsbG8gd29ybGQ='] },
      'invalid',
    ],
    [
      'an image of another type than it says',
      { ...question, images: ['data:image/png;base64,/9j/4AAQSkZJRg=='] },
      'invalid',
    ],
    ['a link for an image', { ...question, images: ['https://example.com/a.png'] }, 'invalid'],
    ['an unknown knowledge base', { ...question, knowledgeBase: 'nowhere' }, 'not-found'],
    ['an unknown conversation', { ...question, conversationId: randomUUID() }, 'not-found'],
  ])('is refused with %s', async (_, input, code) => {
    const { runner } = setUp();
    await expect(runner.start(input)).rejects.toMatchObject({ name: 'AppError', code });
    expect(runner.running).toBe(0);
  });

  it('takes images of four megabytes', async () => {
    const asks: Ask[] = [];
    const image = `data:image/png;base64,iVBORw0KGgoA${'A'.repeat(3_900_000)}`;
    const { runner } = setUp((given) => {
      asks.push(given);
      return echo(given);
    });
    await ask(runner, { ...question, images: [image] });
    expect(asks[0]?.images).toEqual([image]);
  });

  it('goes on with a conversation: its earlier turns reach the pipeline', async () => {
    const asks: Ask[] = [];
    const { runner } = setUp((given) => {
      asks.push(given);
      return echo(given);
    });
    const [first] = await ask(runner);
    await ask(runner, { ...question, conversationId: first?.conversationId, text: 'And then?' });
    expect(asks[1]?.turns).toEqual([
      { question: 'How long?', standalone: 'How long?', answer: 'You asked: How long?' },
    ]);
  });

  it('once more gives another version: it knows what was said before that question, and later ones build on it', async () => {
    const asks: Ask[] = [];
    const { runner, conversations } = setUp((given) => {
      asks.push(given);
      return echo(given);
    });
    const [first] = await ask(runner);
    const conversationId = first?.conversationId as string;
    const [second] = await ask(runner, { ...question, conversationId, text: 'And then?' });
    const regenerated = {
      ...question,
      conversationId,
      regenerates: second?.messageId,
      text: 'And then, please?',
    };
    const [third] = await ask(runner, regenerated);
    await ask(runner, { ...regenerated, regenerates: third?.messageId, text: 'And then, again?' });
    await ask(runner, { ...question, conversationId, text: 'Last?' });
    const known = asks.map(({ turns }) => turns.map((turn) => turn.question));
    expect(known).toEqual([
      [],
      ['How long?'],
      ['How long?'],
      ['How long?'],
      ['How long?', 'And then, again?'],
    ]);
    expect(asks.map(({ isRegenerated }) => isRegenerated === true)).toEqual([
      false,
      false,
      true,
      true,
      false,
    ]);
    const messages = await conversations.readConversation(conversationId);
    expect(messages?.map(({ regenerates }) => regenerates)).toEqual([
      undefined,
      undefined,
      second?.messageId,
      second?.messageId,
      undefined,
    ]);
  });

  it('once more is refused for a message of another conversation, and for one that is being answered', async () => {
    const endless = createEndless();
    const { runner } = setUp(endless.pipeline);
    const { conversationId, messageId } = await runner.start(question);
    const again = { ...question, conversationId, regenerates: messageId };
    await expect(runner.start(again)).rejects.toMatchObject({ code: 'conflict' });
    await expect(runner.start({ ...question, regenerates: messageId })).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(runner.start({ ...again, regenerates: randomUUID() })).rejects.toMatchObject({
      code: 'not-found',
    });
    await runner.stop(messageId);
  });

  it('is refused in a conversation of another knowledge base, and in one that is full', async () => {
    const { runner } = setUp(echo, { conversationMessages: 1 });
    const [first] = await ask(runner);
    const again = { ...question, conversationId: first?.conversationId };
    await expect(runner.start(again)).rejects.toMatchObject({ code: 'conflict' });
    const { runner: roomy } = setUp();
    const [other] = await ask(roomy);
    const elsewhere = { ...question, conversationId: other?.conversationId, knowledgeBase: 'manual' };
    await expect(roomy.start(elsewhere)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is refused as overloaded, with a hint when to retry, while too many answers run', async () => {
    const endless = createEndless();
    const { runner } = setUp(endless.pipeline, { running: 1 });
    const { messageId } = await runner.start(question);
    await expect(runner.start(question)).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 2 });
    await runner.stop(messageId);
    await framesOf(runner, messageId);
    await expect(runner.start(question)).resolves.toBeDefined();
  });
});

describe('Following', () => {
  it('gives every frame after any seq, in order, none lost, none twice, while the answer runs and afterwards', async () => {
    const gates = countUp(6).map(createGate);
    const { runner } = setUp(async function* ({ text }) {
      yield started(text);
      for (const [index, gate] of gates.entries()) {
        await gate.opened;
        yield { type: 'handoff-requested', reason: String(index) };
      }
      yield completed('Done.');
    });
    const { messageId } = await runner.start(question);
    const followers = countUp(8).map((index) => framesOf(runner, messageId, index - 1));
    for (const gate of gates) {
      gate.open();
      followers.push(...countUp(8).map((index) => framesOf(runner, messageId, index - 1)));
      await new Promise(setImmediate);
    }
    const results = await Promise.all(followers);
    const all = await framesOf(runner, messageId);
    expect(seqsOf(all)).toEqual(countUp(8));
    for (const [index, frames] of results.entries()) expect(frames).toEqual(all.slice(index % 8));
    for (const seq of countUp(8)) expect(await framesOf(runner, messageId, seq)).toEqual(all.slice(seq + 1));
  });

  it('ends quietly when the follower leaves', async () => {
    const endless = createEndless();
    const { runner } = setUp(endless.pipeline);
    const { messageId } = await runner.start(question);
    const leaving = new AbortController();
    const seen: AnswerFrame[] = [];
    for await (const frame of runner.follow(messageId, -1, { signal: leaving.signal })) {
      seen.push(frame);
      if (frame.type === 'text-delta') leaving.abort();
    }
    expect(seen.map(({ type }) => type)).toEqual(['answer-started', 'text-delta']);
    expect(runner.running).toBe(1);
  });

  it('fails for a message that nobody asked, and for one whose end was lost with an earlier process', async () => {
    const { runner, conversations } = setUp();
    await expect(framesOf(runner, randomUUID())).rejects.toMatchObject({ code: 'not-found' });
    const orphan = { messageId: randomUUID(), conversationId: randomUUID(), knowledgeBase: 'shop' };
    await conversations.startMessage({ ...orphan, question: 'Lost?', askedAt: '2026-01-01T00:00:00Z' });
    await expect(framesOf(runner, orphan.messageId)).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('Stopping', () => {
  it('aborts the pipeline and ends the answer with what was written so far', async () => {
    const endless = createEndless();
    const { runner } = setUp(endless.pipeline);
    const { messageId } = await runner.start(question);
    await endless.writing;
    expect(await runner.stop(messageId)).toBe(true);
    await endless.aborted;
    const frames = await framesOf(runner, messageId);
    expect(textOf(frames)).toBe('Once upon a time');
    expect(frames.at(-1)).toMatchObject({ type: 'answer-failed', error: { code: 'stopped' } });
    expect(await runner.stop(messageId)).toBe(false);
  });

  it('ends the answer even when the pipeline does not listen', async () => {
    const gate = createGate();
    const { runner } = setUp(
      async function* () {
        await gate.opened;
        yield completed('Too late.');
      },
      { stopMs: 1 },
    );
    const { messageId } = await runner.start(question);
    expect(await runner.stop(messageId)).toBe(true);
    expect(runner.running).toBe(1);
    gate.open();
    expect(await framesOf(runner, messageId)).toMatchObject([
      { type: 'answer-failed', error: { code: 'stopped' } },
    ]);
  });

  it('fails for a message that nobody asked', async () => {
    await expect(setUp().runner.stop(randomUUID())).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each([
    ['after the grace period, when its last follower left', 'wait'],
    ['at once, when its last follower wished so', 'stop'],
  ] as const)('happens by itself %s', async (_, whenLeft) => {
    const endless = createEndless();
    const { runner } = setUp(endless.pipeline, { graceMs: whenLeft === 'wait' ? 1 : 1_000_000 });
    const { messageId } = await runner.start(question);
    const leaving = new AbortController();
    for await (const _frame of runner.follow(messageId, -1, { signal: leaving.signal, whenLeft })) {
      leaving.abort();
    }
    await endless.aborted;
    expect((await framesOf(runner, messageId)).at(-1)).toMatchObject({ error: { code: 'stopped' } });
  });

  it('does not happen as long as somebody follows, however long that is', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const endless = createEndless();
      const { runner } = setUp(endless.pipeline);
      const { messageId } = await runner.start(question);
      const following = framesOf(runner, messageId);
      await endless.writing;
      await vi.advanceTimersByTimeAsync(24 * 3_600_000);
      expect(await runner.stop(messageId)).toBe(true);
      expect((await following).at(-1)).toMatchObject({ error: { message: 'The answer was stopped.' } });
    } finally {
      vi.useRealTimers();
    }
  });

  it('does not happen while somebody else follows', async () => {
    const gate = createGate();
    const { runner } = setUp(async function* ({ text }, { signal }) {
      yield started(text);
      await gate.opened;
      signal.throwIfAborted();
      yield completed('Done.');
    });
    const { messageId } = await runner.start(question);
    const staying = framesOf(runner, messageId);
    const leaving = new AbortController();
    for await (const _frame of runner.follow(messageId, -1, { signal: leaving.signal, whenLeft: 'stop' })) {
      leaving.abort();
    }
    gate.open();
    expect((await staying).at(-1)).toMatchObject({ type: 'answer-completed' });
  });
});

describe('Draining', () => {
  it('lets running answers end and refuses new ones', async () => {
    const gate = createGate();
    const { runner } = setUp(async function* ({ text }) {
      yield started(text);
      await gate.opened;
      yield completed('Done.');
    });
    const { messageId } = await runner.start(question);
    const drained = runner.drain({ timeoutMs: 60_000 });
    expect(runner.draining).toBe(true);
    await expect(runner.start(question)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    gate.open();
    await drained;
    expect((await framesOf(runner, messageId)).at(-1)).toMatchObject({ type: 'answer-completed' });
  });

  it('ends what still runs when the time is over as interrupted', async () => {
    const endless = createEndless();
    const { runner, conversations } = setUp(endless.pipeline);
    const { messageId } = await runner.start(question);
    await runner.drain({ timeoutMs: 1 });
    expect(runner.running).toBe(0);
    expect(await conversations.readFrames(messageId, -1)).toContainEqual(
      expect.objectContaining({
        type: 'answer-failed',
        error: expect.objectContaining({ code: 'interrupted' }),
      }),
    );
  });
});

describe('After a restart', () => {
  it('finished answers replay from the store, and unfinished ones end as interrupted, after any seq', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'askbase-restart-'));
    const file = join(folder, 'store.db');
    const before = await createSqliteStore({ file });
    const endless = createEndless();
    const { runner } = setUp(
      (given, options) => (given.text === 'endless' ? endless.pipeline(given, options) : echo(given)),
      {},
      before,
    );
    const finished = await ask(runner);
    const { messageId } = await runner.start({ ...question, text: 'endless' });
    await endless.writing;
    await expect.poll(async () => (await before.readFrames(messageId, -1))?.length).toBe(2);

    const after = await createSqliteStore({ file });
    expect(await after.interruptRunning()).toBe(1);
    const { runner: next } = setUp(echo, {}, after);
    for (const { seq } of finished) {
      expect(await framesOf(next, finished[0]?.messageId ?? '', seq)).toEqual(finished.slice(seq + 1));
    }
    const unfinished = await framesOf(next, messageId, 0);
    expect(seqsOf(unfinished)).toEqual([1, 2]);
    expect(unfinished.at(-1)).toMatchObject({ type: 'answer-failed', error: { code: 'interrupted' } });

    await runner.drain({ timeoutMs: 1 });
    await Promise.all([before.close(), after.close()]);
    await rm(folder, { recursive: true });
  });
});
