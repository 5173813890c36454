/**
 * Takes the pictures of this folder again, from a running server with the demo knowledge and no language model:
 *
 *     npm start
 *     npx tsx docs/screenshots/take-screenshots.ts http://localhost:3000
 */
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { launchBrowser, type OpenPageOptions, openPage } from '../../test/support/browser.js';

const url = process.argv[2] ?? 'http://localhost:3000';
const browser = await launchBrowser();

async function take(
  name: string,
  options: OpenPageOptions,
  reach: (page: Page) => Promise<unknown>,
): Promise<void> {
  const { page, close } = await openPage(browser, url, { reducedMotion: 'reduce', ...options });
  await reach(page);
  await page.mouse.move(0, 0);
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, import.meta.url)) });
  await close();
}

async function ask(page: Page, knowledgeBase: string, question: string): Promise<void> {
  await page.locator(`input[value="${knowledgeBase}"]`).check();
  await page.locator('.composer textarea').fill(question);
  await page.keyboard.press('Enter');
  await page.locator('.actions').waitFor();
}

const desktop = { viewport: { width: 1280, height: 800 } };
const phone = {
  viewport: { width: 390, height: 800 },
  deviceScaleFactor: 1.5,
  isMobile: true,
  hasTouch: true,
};

await take('answer', desktop, async (page) => {
  await ask(page, 'shop-support', 'How many days do I have to return something?');
  await page.locator('.chip').first().click();
  await page.locator('.passage-text mark').first().waitFor();
});

await take('why', { ...desktop, colorScheme: 'dark' }, async (page) => {
  await ask(page, 'product-manual', 'How do I connect the robot to Wi-Fi?');
  await page.locator('.text-button', { hasText: 'Why these passages' }).click();
  await page.locator('.candidate').first().waitFor();
});

await take('phone', { ...phone, locale: 'zh-CN' }, async (page) => {
  await ask(page, 'shop-support', '发票抬头开错了怎么办？');
  await page.locator('.chip').first().tap();
  await page.locator('.passage-text mark').first().waitFor();
});

await browser.close();
