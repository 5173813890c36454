/**
 * Takes the pictures of this folder again: the demo knowledge, with and without a (played) language model.
 *
 *     npm run build && npx tsx docs/screenshots/take-screenshots.ts
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { ROOT_DIR, startTestApp, type TestApp } from '../../test/support/app.js';
import { launchBrowser, type OpenPageOptions, openPage } from '../../test/support/browser.js';
import { startModelServer } from '../../test/support/model-server.js';

const browser = await launchBrowser();
const model = await startModelServer();

function start(env: Record<string, string> = {}): Promise<TestApp> {
  return startTestApp({
    knowledge: join(ROOT_DIR, 'knowledge'),
    env: {
      MODELS_DIR: join(ROOT_DIR, 'models'),
      EMBED_MODEL: 'askbase-embed-small',
      RERANK_MODEL: 'askbase-rerank-small',
      ...env,
    },
  });
}

async function open(app: TestApp, path: string, options: OpenPageOptions): Promise<Page> {
  const { page } = await openPage(browser, `${app.url}${path}`, { reducedMotion: 'reduce', ...options });
  return page;
}

async function take(name: string, page: Page): Promise<void> {
  await page.mouse.move(0, 0);
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, import.meta.url)) });
}

async function ask(page: Page, question: string): Promise<void> {
  const before = await page.locator('.exchange').count();
  await page.locator('.composer textarea').fill(question);
  await page.keyboard.press('Enter');
  await page.locator('.exchange').nth(before).locator('.answer[aria-busy="false"]').waitFor();
}

async function openChat(app: TestApp, knowledgeBase: string, options: OpenPageOptions): Promise<Page> {
  const page = await open(app, '', options);
  await page.locator(`input[value="${knowledgeBase}"]`).check();
  return page;
}

/** The number under which the prompt shows the passage with these words. */
function numberOf(words: string, prompt: string): string {
  const passage = prompt.split('<passage n=').find((text) => text.includes(words));
  const number = /^\D*(\d+)/.exec(passage ?? '')?.[1];
  if (number === undefined) throw new Error(`no passage says "${words}"`);
  return number;
}

const desktop = { viewport: { width: 1280, height: 800 } };
const phone = {
  viewport: { width: 390, height: 800 },
  deviceScaleFactor: 1.5,
  isMobile: true,
  hasTouch: true,
};
const chinese = { locale: 'zh-CN' };
const dark = { colorScheme: 'dark' } as const;

const quoting = await start();

const answer = await openChat(quoting, 'shop-support', desktop);
await ask(answer, 'How many days do I have to return something?');
await answer.locator('.chip').first().click();
await answer.locator('.passage-text mark').first().waitFor();
await take('answer', answer);

const why = await openChat(quoting, 'product-manual', { ...desktop, ...dark });
await ask(why, 'How do I connect the robot to Wi-Fi?');
await why.locator('.text-button', { hasText: 'Why these passages' }).click();
await why.locator('.candidate').first().waitFor();
await take('why', why);

const onPhone = await openChat(quoting, 'shop-support', { ...phone, ...chinese });
await ask(onPhone, '发票抬头开错了怎么办？');
await onPhone.locator('.chip').first().tap();
await onPhone.locator('.passage-text mark').first().waitFor();
await take('phone', onPhone);

const triage = await openChat(quoting, 'health-consultation', { ...phone, ...chinese });
await ask(triage, '我突然胸口很闷，喘不上气');
await take('triage', triage);

const visitor = await openChat(quoting, 'shop-support', { ...phone, ...dark });
const desk = await open(quoting, '/operator', desktop);
await ask(visitor, 'How many days do I have to return something?');
await ask(visitor, 'I want to talk to a human');
const other = await openChat(quoting, 'shop-support', { ...desktop, ...chinese });
await ask(other, '你们的服务太差劲了，转人工');
await desk.locator('.handoff', { hasText: 'How many days' }).click();
await desk.locator('.takeover-form input').fill('Mei');
await desk.keyboard.press('Enter');
await visitor.locator('.handling svg').waitFor();
await ask(visitor, 'My kettle arrived broken. May I send it back after 30 days, too?');
await desk.getByRole('heading', { name: 'My kettle arrived broken.' }).waitFor();
await desk
  .locator('.composer textarea')
  .fill(
    'Of course: a faulty kettle can be returned at any time within the warranty. I send you a label now.',
  );
await desk.keyboard.press('Enter');
await visitor.locator('.operator-message').waitFor();
await take('takeover-chat', visitor);
await desk.locator('.chip').first().click();
await desk.locator('.passage-text mark').first().waitFor();
await take('takeover-desk', desk);

await quoting.close();

model.respond(({ body }) => {
  const returns = numberOf('the parcel was delivered', JSON.stringify(body.messages));
  return {
    steps: [
      `You may return an unused item within 30 days of the day the parcel was delivered [${returns}]. `,
      `Gold members of the Kettle Club have 60 days [${returns}]. `,
      'Every return is free of charge for everybody.',
    ],
  };
});
const writing = await start({ OPENAI_BASE_URL: model.url, CHAT_MODEL: 'example-model' });
const marked = await openChat(writing, 'shop-support', { viewport: { width: 1280, height: 640 } });
await ask(marked, 'How many days do I have to return something?');
await marked.locator('.verdict-unsupported', { hasText: 'Gold members' }).focus();
await take('marked', marked);

await writing.close();
await model.close();
await browser.close();
