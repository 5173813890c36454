import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOpenAIChatModel } from '../../src/answer/openai-chat-model.js';
import { loadPrompts, type Prompts } from '../../src/answer/prompts.js';
import { createQuestionReader } from '../../src/question/question-reader.js';
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
    logger: silentLogger,
    ...(rewriteMs === undefined ? {} : { rewriteMs }),
  });
}

function readerWithoutModel() {
  return createQuestionReader({ chatModel: null, prompts, logger: silentLogger });
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
    expect(understanding).toEqual({
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
