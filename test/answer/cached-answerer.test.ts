import { describe, expect, it } from 'vitest';
import { createAnswerCache } from '../../src/answer/answer-cache.js';
import type { AnswerEvent, Answerer, AnswerRequest } from '../../src/answer/answerer.js';
import { createCachedAnswerer } from '../../src/answer/cached-answerer.js';
import { createAnalyzer } from '../../src/retrieve/analyzer.js';
import type { Embedder } from '../../src/retrieve/embedder.js';
import { sampleKnowledgeBase } from '../support/sample-knowledge-base.js';
import { sampleSource } from '../support/sample-source.js';

const { signal } = new AbortController();
const analyzer = createAnalyzer();

/** Takes all questions for the same, so that only what else must agree tells them apart. */
const blindEmbedder: Embedder = {
  model: 'blind',
  dimensions: 1,
  embed: async (texts) => texts.map(() => Float32Array.of(1)),
};

/** Says which call it is. */
function countingAnswerer(): Answerer & { calls: number } {
  return {
    mode: 'model',
    seesImages: false,
    calls: 0,
    async *answer() {
      this.calls += 1;
      yield { type: 'text', text: `Answer ${this.calls} ` };
      yield { type: 'text', text: '[1].' };
    },
  };
}

function request(text: string, rest: Partial<AnswerRequest> = {}): AnswerRequest {
  return {
    messageId: `message of ${text}`,
    owner: 'local',
    question: { text, standalone: text, language: 'en' },
    sources: [sampleSource(1, 'You have 30 days.')],
    turns: [],
    knowledgeBase: sampleKnowledgeBase({ answerCache: true }),
    images: [],
    ...rest,
  };
}

function createPair({ embedder = blindEmbedder as Embedder | null } = {}) {
  const answerer = countingAnswerer();
  const contextOf = ({ sources }: AnswerRequest): string => sources.map(({ passageId }) => passageId).join();
  const cached = createCachedAnswerer(answerer, createAnswerCache({ embedder, analyzer, contextOf }));
  const ask = async (asked: AnswerRequest): Promise<AnswerEvent[]> => {
    const events: AnswerEvent[] = [];
    for await (const event of cached.answer(asked, { signal })) events.push(event);
    return events;
  };
  return { answerer, ask };
}

const QUESTION = 'How long can I return an item?';
const hitOf = (events: readonly AnswerEvent[]) => events.find((event) => event.type === 'cached')?.hit;

describe('the answer cache', () => {
  it('neither keeps nor gives an answer to what holds personal data', async () => {
    const { answerer, ask } = createPair();
    await ask(request('Please call 13812345678 back, when will you?'));
    const again = await ask(request('Please call 13912345678 back, when will you?'));
    expect(answerer.calls).toBe(2);
    expect(hitOf(again)).toBeUndefined();
  });

  it('does not keep what was cut off', async () => {
    const { answerer, ask } = createPair();
    answerer.answer = async function* () {
      this.calls += 1;
      yield { type: 'text', text: 'You have' };
      yield { type: 'cut-off' };
    };
    await ask(request(QUESTION));
    expect(hitOf(await ask(request(QUESTION)))).toBeUndefined();
    expect(answerer.calls).toBe(2);
  });

  it('gives the same text again for the same words, whatever their case and marks', async () => {
    const { answerer, ask } = createPair({ embedder: null });
    const first = await ask(request(QUESTION));
    const again = await ask(request('  how long can I  return an item '));
    expect(answerer.calls).toBe(1);
    expect(hitOf(first)).toBeUndefined();
    expect(hitOf(again)).toEqual({ kind: 'exact', similarity: 1, messageId: `message of ${QUESTION}` });
    expect(again.at(-1)).toEqual({ type: 'text', text: 'Answer 1 [1].' });
  });

  it('gives nothing where another answer is wanted, and keeps that one from then on', async () => {
    const { answerer, ask } = createPair({ embedder: null });
    await ask(request(QUESTION));
    const other = await ask(request(QUESTION, { isRegenerated: true }));
    expect(hitOf(other)).toBeUndefined();
    expect(answerer.calls).toBe(2);
    expect((await ask(request(QUESTION))).at(-1)).toEqual({ type: 'text', text: 'Answer 2 [1].' });
  });

  it('finds another wording by its meaning, and says how near it is', async () => {
    const { answerer, ask } = createPair();
    await ask(request(QUESTION));
    const hit = hitOf(await ask(request('Within which time may an item be returned?')));
    expect(hit).toMatchObject({ kind: 'meaning', similarity: 1 });
    expect(answerer.calls).toBe(1);
  });

  it.each([
    ['Can I return it after 30 days?', 'Can I return it after 40 days?'],
    ['Can I return it after 30 days?', 'Can I return it after 30 hours?'],
    ['Can I return opened headphones?', 'Can I not return opened headphones?'],
    ['Do you ship parcels to Canada?', 'Do you ship parcels to Norway?'],
    ['三天内可以退货吗？', '七天内可以退货吗？'],
    ['耳机可以退货吗？', '耳机不可以退货吗？'],
  ])('tells “%s” from “%s”, however near their vectors are', async (one, other) => {
    const { answerer, ask } = createPair();
    await ask(request(one));
    expect(hitOf(await ask(request(other)))).toBeUndefined();
    expect(answerer.calls).toBe(2);
  });

  it.each<[string, Partial<AnswerRequest>]>([
    ['other passages', { sources: [sampleSource(2, 'You have 40 days.')] }],
    [
      'another knowledge base',
      { knowledgeBase: { ...sampleKnowledgeBase({ answerCache: true }), id: 'other' } },
    ],
    ['another owner', { owner: 'visitor:1' }],
    ['an earlier turn', { turns: [{ question: 'a', standalone: 'a', answer: 'b' }] }],
    ['an image', { images: ['data:image/png;base64,AAAA'] }],
    ['a knowledge base that does not want it', { knowledgeBase: sampleKnowledgeBase() }],
  ])('is not asked with %s', async (_, rest) => {
    const { answerer, ask } = createPair();
    await ask(request(QUESTION));
    expect(hitOf(await ask(request(QUESTION, rest)))).toBeUndefined();
    expect(answerer.calls).toBe(2);
  });

  it('is asked after a turn that was not answered', async () => {
    const { ask } = createPair();
    await ask(request(QUESTION));
    const turns = [{ question: 'a', standalone: 'a', answer: "I don't know.", unanswered: true }];
    expect(hitOf(await ask(request(QUESTION, { turns })))).toMatchObject({ kind: 'exact' });
  });

  it('keeps nothing of an answer that was not written to its end', async () => {
    const { answerer, ask } = createPair();
    const { answer } = answerer;
    answerer.answer = async function* () {
      yield { type: 'text', text: 'Half an' };
      throw new Error('cut');
    };
    await expect(ask(request(QUESTION))).rejects.toThrow('cut');
    answerer.answer = answer;
    expect(hitOf(await ask(request(QUESTION)))).toBeUndefined();
  });
});
