import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOpenAIChatModel } from '../../src/answer/openai-chat-model.js';
import { loadPrompts, type Prompts } from '../../src/answer/prompts.js';
import { createQuestionReader } from '../../src/question/question-reader.js';
import { collectVocabulary } from '../../src/question/vocabulary.js';
import { createAnalyzer } from '../../src/retrieve/analyzer.js';
import type { Turn } from '../../src/types.js';
import { type ModelServer, startModelServer } from '../support/model-server.js';
import { sampleKnowledgeBase } from '../support/sample-knowledge-base.js';
import { silentLogger } from '../support/silent-logger.js';

const knowledgeBase = sampleKnowledgeBase({
  triage: [
    {
      id: 'chest-pain',
      phrases: { en: ['chest pain'], zh: ['胸痛'] },
      answer: { en: 'Call 112.', zh: '请拨打 120。' },
    },
  ],
  handoff: {
    phrases: { en: ['talk to a human'], zh: ['转人工'] },
    message: { en: 'A colleague comes.', zh: '同事马上来。' },
  },
});
const TURNS = [
  { question: '国内运费多少钱？', standalone: '国内运费多少钱？', answer: '标准配送 8 元，满 99 元包邮。' },
];
const never = new AbortController().signal;
const words = {
  analyzer: createAnalyzer(),
  vocabularyOf: async () => ({
    ...collectVocabulary(
      [{ title: 'Warranty', headings: [], text: 'A warranty of chest pain and refunds', language: 'en' }],
      knowledgeBase,
    ),
    languages: { en: 1, zh: 1 },
  }),
};

let server: ModelServer;
let prompts: Prompts;
beforeEach(async () => {
  server = await startModelServer();
  prompts = await loadPrompts('prompts');
});
afterEach(() => server.close());

function reader(rewriteMs?: number) {
  const chatModel = createOpenAIChatModel({
    apiKey: 'key',
    baseUrl: server.url,
    models: ['scripted'],
    logger: silentLogger,
  });
  return createQuestionReader({
    chatModel,
    prompts,
    ...words,
    logger: silentLogger,
    ...(rewriteMs === undefined ? {} : { rewriteMs }),
  });
}

function readerWithoutModel() {
  return createQuestionReader({ chatModel: null, prompts, ...words, logger: silentLogger });
}

describe('a question', () => {
  it('is freed of what nobody sees', async () => {
    const { question } = await readerWithoutModel()(
      { text: ' \u200bHow\u0000  long\u00a0is cafe\u0301 warranty?\r\n', turns: [], knowledgeBase },
      { signal: never },
    );
    expect(question.text).toBe('How long is café warranty?');
    expect(question.standalone).toBe(question.text);
  });

  it.each([
    ['How long is the warranty?', 'en'],
    ['保修多久？', 'zh'],
    ['我的 robot vacuum 坏了怎么办', 'zh'],
  ])('“%s” is in language %s', async (text, language) => {
    const { question } = await readerWithoutModel()({ text, turns: [], knowledgeBase }, { signal: never });
    expect(question.language).toBe(language);
  });

  it.each([
    ['I have chest pain, talk to a human', 'triage', 'Call 112.'],
    ['我胸痛', 'triage', '请拨打 120。'],
    ['Can I talk to a human?', 'handoff', 'A colleague comes.'],
    ['转人工', 'handoff', '同事马上来。'],
  ] as const)('“%s” is answered at once (%s), without the chat model', async (text, reason, answer) => {
    const understanding = await reader()({ text, turns: TURNS, knowledgeBase }, { signal: never });
    expect(understanding.shortcut).toEqual({ reason, text: answer });
    expect(server.requests).toHaveLength(0);
  });

  it('is answered at once in the language the knowledge base answers in', async () => {
    const always = { ...knowledgeBase, answerLanguage: 'en' as const };
    const { shortcut } = await reader()(
      { text: '我胸痛', turns: [], knowledgeBase: always },
      { signal: never },
    );
    expect(shortcut?.text).toBe('Call 112.');
  });
});

describe('a follow-up', () => {
  it('is written out by rule where there is no chat model', async () => {
    const understanding = await readerWithoutModel()(
      { text: '那国际呢？', turns: TURNS, knowledgeBase },
      { signal: never },
    );
    expect(understanding).toMatchObject({
      question: { text: '那国际呢？', standalone: '那国际呢？（国内运费）', language: 'zh' },
      degraded: [],
    });
  });

  it('is written out by the chat model, which sees the conversation as fenced words of others', async () => {
    server.respond({ steps: ['“国际运费', '多少钱？”\n'] });
    const { question, degraded } = await reader()(
      { text: '那国际呢？', turns: TURNS, knowledgeBase },
      { signal: never },
    );
    expect(question).toEqual({ text: '那国际呢？', standalone: '国际运费多少钱？', language: 'zh' });
    expect(degraded).toEqual([]);
    const prompt = server.requests[0]?.body.messages[0]?.content as string;
    const [, key] = /<conversation key="([0-9a-f]{24})">/.exec(prompt) ?? [];
    expect(key).toBeDefined();
    expect(prompt).toContain('标准配送 8 元');
    expect(prompt).toContain(`<question key="${key}">\n那国际呢？\n</question key="${key}">`);
  });

  it('does not ask the chat model about a first question', async () => {
    await reader()({ text: '国内运费多少钱？', turns: [], knowledgeBase }, { signal: never });
    expect(server.requests).toHaveLength(0);
  });

  it.each([
    ['fails', { status: 500 }],
    ['says nothing', { steps: ['  \n'] }],
    ['answers at length instead', { steps: ['运费'.repeat(400)] }],
    ['takes too long', { steps: [{ stall: true }] }],
  ] as const)('is written out by rule where the chat model %s', async (_, reply) => {
    server.respond(reply);
    const { question, degraded } = await reader(200)(
      { text: '那国际呢？', turns: TURNS, knowledgeBase },
      { signal: never },
    );
    expect(question.standalone).toBe('那国际呢？（国内运费）');
    expect(degraded).toEqual(['rewrite']);
    await (await server.arrived(1)).ended;
  });

  it('is given up when the answer is stopped, and the model is told', async () => {
    server.respond({ silent: true });
    const stop = new AbortController();
    const reading = reader()({ text: '那国际呢？', turns: TURNS, knowledgeBase }, { signal: stop.signal });
    const request = await server.arrived(1);
    stop.abort();
    await expect(reading).rejects.toMatchObject({ code: 'stopped' });
    expect(await request.ended).toBe('cancelled');
  });
});

describe('the way to the meaning of a question', () => {
  const read = (text: string, config: object = {}, turns = TURNS) =>
    readerWithoutModel()({ text, turns, knowledgeBase: { ...knowledgeBase, ...config } }, { signal: never });
  const allOff = Object.fromEntries(Object.keys(knowledgeBase.understanding).map((step) => [step, false]));

  it('is told step by step, with what each step made of the question', async () => {
    const { question, steps } = await read(' How long is the  warrenty? ', {}, []);
    expect(question).toMatchObject({
      text: 'How long is the warrenty?',
      standalone: 'How long is the warranty?',
    });
    expect(steps.map(({ step }) => step)).toEqual([
      'normalization',
      'anger',
      'triage',
      'handoff',
      'spelling',
      'pinyin',
      'triage',
      'handoff',
      'follow-up',
      'lexicon',
    ]);
    expect(steps).toContainEqual({
      step: 'spelling',
      before: 'How long is the warrenty?',
      after: 'How long is the warranty?',
      ms: expect.any(Number),
    });
  });

  it.each([
    ['triage', '我胸痛'],
    ['handoff', 'talk to a human'],
    ['spelling', 'warrenty of refunds'],
    ['followUps', '那国际呢？'],
  ])('leaves %s out where kb.yaml says so', async (step, text) => {
    const understanding = { ...knowledgeBase.understanding, [step]: false };
    const left = await read(text, { understanding });
    expect(left.shortcut).toBeUndefined();
    expect(left.question.standalone).toBe(text);
    const kept = await read(text);
    expect(kept.shortcut !== undefined || kept.question.standalone !== text).toBe(true);
  });

  it('is no way at all where every step is off', async () => {
    const { question, steps } = await read('我胸痛，转人工', { understanding: allOff });
    expect(steps).toEqual([]);
    expect(question.standalone).toBe('我胸痛，转人工');
  });

  it('sees a red flag behind a slip of the pen', async () => {
    expect((await read('I have chets pain', {}, [])).shortcut).toEqual({
      reason: 'triage',
      text: 'Call 112.',
    });
  });

  it.each([
    ['没有胸痛，只是咳嗽', undefined],
    ['I have no chest pain', undefined],
    ['不是没有胸痛，是很痛', 'triage'],
  ])('knows a denied sign from one that is there: %s', async (text, reason) => {
    expect((await read(text, {}, [])).shortcut?.reason).toBe(reason);
  });

  it.each([
    ['This is ridiculous, where is my refund?', true],
    ['气死我了，退款呢？', true],
    ['Where is my refund?', false],
  ])('hears anger, and goes on with the question: %s', async (text, isAngry) => {
    const understood = await read(text, {}, []);
    expect(understood.isAngry).toBe(isAngry);
    expect(understood.shortcut).toBeUndefined();
  });
});

describe('a picture that is not complete', () => {
  const clarifying = sampleKnowledgeBase({
    clarify: [
      {
        id: 'age',
        when: { en: ['fever'], zh: ['发烧'] },
        filledBy: { en: ['years old', 'adult'], zh: ['岁', '大人'] },
        ask: { en: 'How old is the person?', zh: '请问多大年纪？' },
      },
      {
        id: 'duration',
        when: { en: ['fever'], zh: ['发烧'] },
        filledBy: { en: ['days', 'since'], zh: ['天'] },
        ask: { en: 'Since when?', zh: '多久了？' },
      },
    ],
  });
  const read = (text: string, turns: readonly Turn[] = []) =>
    readerWithoutModel()({ text, turns, knowledgeBase: clarifying }, { signal: never });
  const asked = (standalone: string, answer: string): Turn => ({
    question: standalone,
    standalone,
    answer,
    asksBack: true,
  });

  it('is asked about one thing at a time, and the replies become part of the question', async () => {
    const first = await read('I have a fever');
    expect(first.shortcut).toEqual({ reason: 'clarification', text: 'How old is the person?' });
    const one = asked('I have a fever', 'How old is the person?');
    const second = await read('40 years old', [one]);
    expect(second.shortcut?.text).toBe('Since when?');
    const two = asked(second.question.standalone, 'Since when?');
    const third = await read('three days', [one, two]);
    expect(third.shortcut).toBeUndefined();
    expect(third.question.standalone).toBe('I have a fever (40 years old) (three days)');
  });

  it('is asked about once: who does not say it gets an answer all the same', async () => {
    const one = asked('孩子发烧', '请问多大年纪？');
    const second = await read('不想说', [one]);
    expect(second.shortcut?.text).toBe('多久了？');
    const third = await read('不知道', [one, asked(second.question.standalone, '多久了？')]);
    expect(third.shortcut).toBeUndefined();
  });

  it('is left where the next question is about something else', async () => {
    const { shortcut, question } = await read('What does shipping cost?', [
      asked('I have a fever', 'How old is the person?'),
    ]);
    expect(shortcut).toBeUndefined();
    expect(question.standalone).toBe('What does shipping cost?');
  });

  it('is complete where the question says it all', async () => {
    expect((await read('大人发烧三天了怎么办')).shortcut).toBeUndefined();
  });
});
