import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSqliteStore } from '../../src/store/sqlite-store.js';
import { startTestApp, type TestApp } from '../support/app.js';
import { chromiumPath } from '../support/browser.js';
import { makeKeys, type TestKey } from '../support/keys.js';
import { faintTexts, unnamedControls } from './page-checks.js';
import { ask, askAndWait, usePages } from './page-suite.js';

const QUESTION = 'How long do I have to return an item?';

describe.skipIf(chromiumPath === undefined)('a server that wants a key', () => {
  let app: TestApp;
  let keys: Record<'asks' | 'ends' | 'operates', TestKey>;

  beforeAll(async () => {
    app = await startTestApp({ env: { AUTH: 'required' } });
    keys = await makeKeys(app.dir, {
      asks: { scopes: ['ask', 'search'] },
      ends: { scopes: ['ask'] },
      operates: { scopes: ['operate'] },
    });
  });
  afterAll(() => app?.close());
  const pages = usePages();

  const dialog = (page: Page) => page.getByRole('dialog', { name: 'This server needs a key' });

  async function enter(page: Page, key: string): Promise<void> {
    await dialog(page).getByLabel('Key', { exact: true }).fill(key);
    await page.keyboard.press('Enter');
  }

  async function open(path = ''): Promise<Page> {
    // A connection that is refused is closed while it is still being upgraded.
    pages.expectProblems(/40[014]|WebSocket is closed before the connection is established/);
    const page = await pages.open(`${app.url}${path}`);
    await dialog(page).waitFor();
    return page;
  }

  it('asks for it, says that one is wrong, and goes on with the right one', async () => {
    const page = await open();
    expect(await dialog(page).getByText('does not take this key').count()).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('key-field');
    await enter(page, 'ask_wrong');
    await dialog(page).getByText('The server does not take this key.').waitFor();
    expect([...(await unnamedControls(page)), ...(await faintTexts(page))]).toEqual([]);
    await enter(page, ` ${keys.asks.key} `);
    await page.getByRole('radio', { name: 'Shop support' }).check();
    await askAndWait(page, QUESTION);
    expect(await page.locator('.chip').count()).toBeGreaterThan(0);
    await page.reload();
    await page.locator('.chip').first().waitFor();
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(keys.asks.key);

    await page.getByRole('button', { name: 'Change the key' }).click();
    await page.getByRole('button', { name: 'Forget the key' }).click();
    await dialog(page).waitFor();
    expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain(keys.asks.key);
  });

  it('keeps it for later visits on request only, and can be left without one', async () => {
    const page = await open();
    await dialog(page).getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('The server wants a valid key.').waitFor();
    await page.getByRole('button', { name: 'Enter a key' }).click();
    await dialog(page).getByLabel('Remember it in this browser').check();
    await enter(page, keys.asks.key);
    await page.getByRole('radio', { name: 'Shop support' }).waitFor();
    const later = await page.context().newPage();
    await later.goto(app.url);
    await later.getByRole('radio', { name: 'Shop support' }).waitFor();
  });

  it('asks again when a key ends while the page is open', async () => {
    const page = await open();
    await enter(page, keys.ends.key);
    await page.getByRole('radio', { name: 'Shop support' }).check();
    await askAndWait(page, QUESTION);
    const store = await createSqliteStore({ file: join(app.dir, 'data/store.db') });
    await store.revokeKey(keys.ends.id, new Date().toISOString());
    await store.close();
    await ask(page, 'What does a return cost?');
    await dialog(page).waitFor();
    await enter(page, keys.asks.key);
    const field = page.getByLabel('Your question');
    await expect.poll(() => field.inputValue()).toBe('What does a return cost?');
    await field.press('Enter');
    await page.locator('.chip').first().waitFor();
  });

  it('lets only keys of operators see who waits', async () => {
    const page = await open('/operator');
    await enter(page, keys.asks.key);
    await page.getByText('This key may not take conversations over').waitFor();
    await page.getByRole('button', { name: 'Change the key' }).click();
    await enter(page, keys.operates.key);
    await page.getByText('Nobody waits for a person.').waitFor();
    await expect
      .poll(() => page.getByText('This key may not take conversations over').isVisible())
      .toBe(false);
  });
});
