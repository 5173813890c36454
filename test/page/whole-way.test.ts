import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGate } from '../stream/scripted-answers.js';
import { SAMPLE_KNOWLEDGE, startTestApp, type TestApp } from '../support/app.js';
import { chromiumPath } from '../support/browser.js';
import { type ModelServer, startModelServer } from '../support/model-server.js';
import { visibleText } from './page-checks.js';
import { ask, usePages } from './page-suite.js';

const KNOWLEDGE = {
  ...SAMPLE_KNOWLEDGE,
  'strict/kb.yaml': 'title: {en: Checked answers}\ngrounding: withhold',
  'strict/returns.md': SAMPLE_KNOWLEDGE['shop/en/returns.md'] ?? '',
};

describe.skipIf(chromiumPath === undefined)('the page on the real app', () => {
  let model: ModelServer;
  let app: TestApp;

  beforeAll(async () => {
    model = await startModelServer();
    const env = { OPENAI_BASE_URL: model.url, CHAT_MODEL: 'scripted' };
    app = await startTestApp({ env, knowledge: KNOWLEDGE });
  });
  afterAll(async () => {
    await app?.close();
    await model?.close();
  });
  const pages = usePages();

  async function open(knowledgeBase = 'Shop support'): Promise<Page> {
    const page = await pages.open(app.url);
    await page.getByRole('radio', { name: knowledgeBase }).check();
    return page;
  }

  const finished = (page: Page, count = 1) =>
    page
      .locator('.exchange')
      .nth(count - 1)
      .locator('.actions')
      .waitFor();

  it('streams a cited answer, opens its passage, explains it and takes a verdict', async () => {
    const gate = createGate();
    model.respond({
      steps: ['You have 30 days to ', 'return an item [', '1].', { wait: gate.opened }, ' Ask us anything.'],
    });
    const page = await open();
    await page.getByRole('button', { name: 'How long do I have to return something?' }).click();
    await page.getByText('You have 30 days to return an item').waitFor();
    gate.open();
    await finished(page);
    expect(await visibleText(page.locator('.answer-body'))).toBe(
      'You have 30 days to return an item.1 Ask us anything.',
    );

    await page.locator('.chip').click();
    const passage = page.getByRole('dialog', { name: 'Passage' });
    await passage.waitFor();
    expect(await visibleText(passage.locator('.passage-origin .path'))).toMatch(/returns\.md$/);
    expect((await passage.locator('mark').allInnerTexts()).join('')).toContain('30 days');

    await page.getByRole('button', { name: 'Why these passages' }).click();
    const why = page.getByRole('dialog', { name: 'Why these passages' });
    await why.locator('.candidate-kept').first().waitFor();
    expect(await why.locator('.candidate').count()).toBeGreaterThan(1);
    expect(await visibleText(why)).toMatch(/tiny-embed[\s\S]*tiny-rerank[\s\S]*cpu[\s\S]*scripted/);

    await page.getByRole('button', { name: 'Good answer' }).click();
    await page.getByText('Thank you.').waitFor();
  });

  it('stops the model, and goes on with a follow-up in the same conversation', async () => {
    model.respond({ steps: ['You have 30 days', { stall: true }] });
    const page = await open();
    const before = model.requests.length;
    await ask(page, 'How long do I have to return headphones?');
    await page.getByText('You have 30 days').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped. What you see is not complete.').waitFor();
    expect(await (await model.arrived(before + 1)).ended).toBe('cancelled');

    model.respond({ steps: ['Sending a return back costs 4 euros [1].'] });
    await ask(page, 'What does sending a return back cost?');
    await finished(page, 2);
    const key = await page.evaluate(() => sessionStorage.getItem('askbase') ?? '{}');
    const { conversations } = JSON.parse(key) as { conversations: Record<string, string> };
    const response = await page.request.get(`${app.url}/v1/conversations/${conversations.shop}`);
    expect(await response.json()).toMatchObject({
      messages: [{ status: 'failed' }, { status: 'answered' }],
    });
  });

  it('goes on after a reload in the middle of an answer', async () => {
    const gate = createGate();
    model.respond({
      steps: ['You have 30 days [1]. ', { wait: gate.opened }, 'Opened headphones stay [1].'],
    });
    const page = await open();
    await ask(page, 'How long do I have to return an item?');
    await page.locator('.chip').first().waitFor();
    await page.reload();
    await page.locator('.chip').first().waitFor();
    gate.open();
    await finished(page);
    expect(await visibleText(page.locator('.answer-body'))).toMatch(
      /^You have 30 days.*Opened headphones stay/,
    );
    expect(await page.locator('.chip').count()).toBe(2);
    await page.reload();
    await finished(page);
    expect(await page.locator('.chip').count()).toBe(2);
  });

  it('marks a sentence whose number the passage does not have, and says why', async () => {
    model.respond({
      steps: ['Opened headphones can not be returned [1]. You have 90 days to return an item [1].'],
    });
    const page = await open();
    await ask(page, 'How long do I have to return an item?');
    await finished(page);
    const marked = page.locator('.verdict-unsupported');
    expect((await marked.allInnerTexts()).join('')).toBe('You have 90 days to return an item.');
    expect(await marked.first().getAttribute('title')).toContain('another number than “90');
    expect(await page.locator('.answer-body [tabindex="0"]').count()).toBe(1);
    await page.getByText('The wavy sentence is not supported by any passage.').waitFor();
  });

  it('leaves out what the passages do not support where the knowledge base wants that, and says so', async () => {
    model.respond({
      steps: ['Opened headphones can not be returned [1]. You have 90 days to return an item [1].'],
    });
    const page = await open('Checked answers');
    await ask(page, 'How long do I have to return an item?');
    await finished(page);
    expect(await visibleText(page.locator('.answer-body'))).not.toContain('90 days');
    expect(await visibleText(page.locator('.answer-body'))).toContain(
      'Opened headphones can not be returned.',
    );
    await page.getByText('One sentence was left out: the passages do not support it.').waitFor();
    expect(await page.locator('.verdict-unsupported').count()).toBe(0);
  });

  it('shows which words of a passage counted for its relevance', async () => {
    model.respond({ steps: ['You have 30 days to return an item [1].'] });
    const page = await open();
    await ask(page, 'How long do I have to return an item?');
    await finished(page);
    await page.getByRole('button', { name: 'Why these passages' }).click();
    const why = page.getByRole('dialog', { name: 'Why these passages' });
    await why.locator('.candidate-kept .candidate-title').first().click();
    await page.getByRole('button', { name: 'Which words counted?' }).click();
    const counted = page.locator('.passage-text mark.counted');
    await counted.first().waitFor();
    expect(await counted.first().getAttribute('title')).toMatch(
      /^without this, the relevance \(logit\) is \d+\.\d\d lower$/,
    );
  });

  it('shows a red flag, a wish for a person, and an honest no', async () => {
    const page = await open();
    await ask(page, 'I have chest pain');
    await page.getByRole('heading', { name: 'Please read this first' }).waitFor();
    await ask(page, 'I want to talk to a human');
    await page.getByText('A person has been asked to take over').waitFor();
    await ask(page, 'Wie hoch ist der Eiffelturm?');
    await page.getByRole('heading', { name: 'No answer in this knowledge base' }).waitFor();
  });

  it('says in plain words that the model failed, and tries again on request', async () => {
    model.respond({ status: 400 });
    const page = await open();
    await ask(page, 'How long do I have to return an item?');
    await page.locator('.explanation', { hasText: 'The language model did not answer.' }).waitFor();
    model.respond({ steps: ['You have 30 days [1].'] });
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.chip').waitFor();
  });

  it('answers in Chinese from the Chinese document', async () => {
    model.respond({ steps: ['收到商品后30天内可以退货[1]。'] });
    const page = await open();
    await ask(page, '收到商品后多少天可以退货？');
    await finished(page);
    expect(await page.locator('.answer-body').getAttribute('lang')).toBe('zh');
    await page.locator('.chip').click();
    expect((await page.locator('.passage-text mark').allInnerTexts()).join('')).toContain('30天');
  });
});
