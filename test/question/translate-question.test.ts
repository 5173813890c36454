import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOpenAIChatModel } from '../../src/answer/openai-chat-model.js';
import { loadPrompts } from '../../src/answer/prompts.js';
import { createQuestionReader } from '../../src/question/question-reader.js';
import { languageToSearch } from '../../src/question/translate-question.js';
import type { UnderstandQuestion } from '../../src/question/understand-question.js';
import { collectVocabulary } from '../../src/question/vocabulary.js';
import { createAnalyzer } from '../../src/retrieve/analyzer.js';
import { type ModelServer, startModelServer } from '../support/model-server.js';
import { sampleKnowledgeBase } from '../support/sample-knowledge-base.js';
import { silentLogger } from '../support/silent-logger.js';

const never = new AbortController().signal;
const knowledgeBase = sampleKnowledgeBase();
const ENGLISH_ONLY = { en: 99, zh: 1 };

let server: ModelServer;
beforeEach(async () => {
  server = await startModelServer({ steps: ['“How long is ', 'the warranty?”\n'] });
});
afterEach(() => server.close());

async function createReader({
  languages = ENGLISH_ONLY,
  translateMs = 5_000,
} = {}): Promise<UnderstandQuestion> {
  return createQuestionReader({
    chatModel: createOpenAIChatModel({
      apiKey: 'key',
      baseUrl: server.url,
      models: ['scripted'],
      logger: silentLogger,
    }),
    prompts: await loadPrompts('prompts'),
    analyzer: createAnalyzer(),
    vocabularyOf: async () => ({ ...collectVocabulary([], knowledgeBase), languages }),
    logger: silentLogger,
    translateMs,
  });
}
const ask = { text: '保修多久？', turns: [], knowledgeBase };

describe('a question in another language than the knowledge base', () => {
  it('is translated by the chat model, once, and the step is told', async () => {
    const read = await createReader();
    const { question, steps, degraded } = await read(ask, { signal: never });
    expect(question).toEqual({
      text: '保修多久？',
      standalone: '保修多久？',
      language: 'zh',
      translation: { text: 'How long is the warranty?', language: 'en' },
    });
    expect(steps).toContainEqual({
      step: 'translation',
      before: '保修多久？',
      after: 'How long is the warranty?',
      ms: expect.any(Number),
    });
    expect(degraded).toEqual([]);
    const prompt = server.requests[0]?.body.messages[0]?.content as string;
    expect(prompt).toMatch(/<question key="([0-9a-f]{24})">\n保修多久？\n<\/question key="\1">/);

    expect((await read(ask, { signal: never })).question).toEqual(question);
    expect(server.requests).toHaveLength(1);
  });

  it('is not translated where the knowledge base has its language, or says not to', async () => {
    await (await createReader({ languages: { en: 9, zh: 1 } }))(ask, { signal: never });
    const understanding = { ...knowledgeBase.understanding, translation: false };
    const { question, steps } = await (await createReader())(
      { ...ask, knowledgeBase: { ...knowledgeBase, understanding } },
      { signal: never },
    );
    expect(question).not.toHaveProperty('translation');
    expect(steps.map(({ step }) => step)).not.toContain('translation');
    expect(server.requests).toHaveLength(0);
  });

  it.each([
    ['fails', { status: 500 }],
    ['takes too long', { steps: [{ stall: true }] }],
    ['answers at length instead', { steps: ['warranty '.repeat(100)] }],
  ] as const)('is searched in its own language where the chat model %s', async (_, reply) => {
    server.respond(reply);
    const read = await createReader({ translateMs: 300 });
    const { question, degraded } = await read(ask, { signal: never });
    expect(question).not.toHaveProperty('translation');
    expect(degraded).toEqual(['translation']);
  });

  it('has no translation where the reply is in the wrong language', async () => {
    server.respond({ steps: ['保修期有多长？'] });
    const { question, degraded, steps } = await (await createReader())(ask, { signal: never });
    expect(question).not.toHaveProperty('translation');
    expect(degraded).toEqual([]);
    expect(steps.find(({ step }) => step === 'translation')).toMatchObject({ after: '保修多久？' });
  });

  it('hides personal data from the model where the knowledge base says so', async () => {
    server.respond({ steps: ['Is order of ⟨PHONE-1⟩ there?'] });
    const { question } = await (await createReader())(
      { ...ask, text: '13812345678 的订单到了吗？', knowledgeBase: { ...knowledgeBase, mask: true } },
      { signal: never },
    );
    expect(JSON.stringify(server.requests[0]?.body)).not.toContain('13812345678');
    expect(question.translation?.text).toBe('Is order of 13812345678 there?');
  });
});

it('a knowledge base is in one language where it says so, or has next to nothing in the other', () => {
  const both = { languages: ['en' as const, 'zh' as const] };
  expect(languageToSearch('zh', { languages: ['en'] }, null)).toBe('en');
  expect(languageToSearch('en', { languages: ['en'] }, ENGLISH_ONLY)).toBeNull();
  expect(languageToSearch('zh', both, null)).toBeNull();
  expect(languageToSearch('zh', both, ENGLISH_ONLY)).toBe('en');
  expect(languageToSearch('en', both, ENGLISH_ONLY)).toBeNull();
  expect(languageToSearch('zh', both, { en: 90, zh: 10 })).toBeNull();
  expect(languageToSearch('zh', both, { en: 0, zh: 0 })).toBeNull();
});
