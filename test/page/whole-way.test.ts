import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createGate } from '../stream/scripted-answers.js';
import { startTestApp, type TestApp } from '../support/app.js';
import { chromiumPath, launchBrowser, type OpenedPage, openPage } from '../support/browser.js';
import { type ModelServer, startModelServer } from '../support/model-server.js';
import { visibleText } from './page-checks.js';

describe.skipIf(chromiumPath === undefined)('the page on the real app', () => {
  let browser: Browser;
  let model: ModelServer;
  let app: TestApp;
  let opened: OpenedPage | undefined;

  beforeAll(async () => {
    browser = await launchBrowser();
    model = await startModelServer();
    app = await startTestApp({ env: { OPENAI_BASE_URL: model.url, CHAT_MODEL: 'scripted' } });
  });
  afterAll(async () => {
    await browser?.close();
    await app?.close();
    await model?.close();
  });
  afterEach(async () => {
    const problems = opened?.problems ?? [];
    await opened?.close();
    opened = undefined;
    expect(problems).toEqual([]);
  });

  async function open(): Promise<Page> {
    opened = await openPage(browser, app.url);
    await opened.page.getByRole('radio', { name: 'Shop support' }).check();
    return opened.page;
  }

  async function ask(page: Page, question: string): Promise<void> {
    await page.getByLabel('Your question').fill(question);
    await page.keyboard.press('Enter');
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
