import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Trace } from '../src/store/trace-store.js';
import { SAMPLE_KNOWLEDGE, startTestApp, type TestApp } from './support/app.js';
import { askOverSocket } from './support/ask-over-socket.js';
import { type ModelServer, startModelServer } from './support/model-server.js';

const ENGLISH = SAMPLE_KNOWLEDGE['shop/en/returns.md'] ?? '';
const QUESTION = '多久可以退货？';

let model: ModelServer;
let running: TestApp;
beforeAll(async () => {
  model = await startModelServer((request) => {
    const translates = JSON.stringify(request.body.messages).includes('You translate a question');
    return { steps: translates ? ['How many days do I have to return an item?'] : ['您有30天时间 [1]。'] };
  });
  running = await startTestApp({
    env: { OPENAI_BASE_URL: model.url, OPENAI_API_KEY: 'any', CHAT_MODEL: 'scripted' },
    knowledge: {
      'shop/kb.yaml': 'title: {en: Shop}\n',
      'shop/returns.md': ENGLISH,
      'untranslated/kb.yaml': 'title: {en: Shop}\nunderstanding: {translation: false}\n',
      'untranslated/returns.md': ENGLISH,
    },
  });
});
afterAll(async () => {
  await running.close();
  await model.close();
});

async function ask(knowledgeBase: string): Promise<Trace> {
  const frames = await askOverSocket(running.url, { knowledgeBase, text: QUESTION });
  expect(frames[0]).toMatchObject({ question: { text: QUESTION, standalone: QUESTION, language: 'zh' } });
  const reply = await fetch(`${running.url}/v1/messages/${frames[0]?.messageId}/trace`);
  return (await reply.json()) as Trace;
}

it('a Chinese question finds English passages by the words of its translation, and is answered in Chinese', async () => {
  const { status, understanding, candidates, prompt } = await ask('shop');
  expect(status).toBe('answered');
  expect(understanding).toContainEqual({
    step: 'translation',
    before: QUESTION,
    after: 'How many days do I have to return an item?',
    ms: expect.any(Number),
  });
  expect(candidates[0]?.passage.text).toContain('You have 30 days');
  expect(candidates[0]?.scores).toMatchObject({ lexical: { rank: 1 }, dense: { rank: 1 } });
  expect(prompt?.at(-1)?.content).toContain(QUESTION);
});

it('without it, no words meet', async () => {
  const { candidates } = await ask('untranslated');
  for (const { scores } of candidates) expect(scores.lexical).toBeUndefined();
});
