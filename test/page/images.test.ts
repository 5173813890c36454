import { Buffer } from 'node:buffer';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.js';
import { chromiumPath } from '../support/browser.js';
import { type ModelServer, startModelServer } from '../support/model-server.js';
import { unnamedControls } from './page-checks.js';
import { ask, askAndWait, usePages } from './page-suite.js';

const QUESTION = 'How long do I have to return an item like this?';

describe.skipIf(chromiumPath === undefined)('images that go with a question', () => {
  let model: ModelServer;
  let seeing: TestApp;
  let blind: TestApp;

  beforeAll(async () => {
    model = await startModelServer({ steps: ['You have 30 days to return an item [1].'] });
    const env = { OPENAI_BASE_URL: model.url, CHAT_MODEL: 'scripted' };
    seeing = await startTestApp({ env: { ...env, VISION_MODEL: 'scripted-vision' } });
    blind = await startTestApp({ env });
  });
  afterAll(async () => {
    await seeing?.close();
    await blind?.close();
    await model?.close();
  });
  const pages = usePages();

  async function open(app: TestApp): Promise<Page> {
    const page = await pages.open(app.url);
    await page.getByRole('radio', { name: 'Shop support' }).check();
    return page;
  }

  /** A picture of that size in one colour. */
  async function picture(page: Page, name: string, [width, height]: [number, number]) {
    const url = await page.evaluate(
      ([w, h]) => {
        const canvas = Object.assign(document.createElement('canvas'), { width: w, height: h });
        const context = canvas.getContext('2d');
        context?.fillRect(0, 0, w, h / 2);
        return canvas.toDataURL('image/png');
      },
      [width, height] as const,
    );
    return { name, mimeType: 'image/png', buffer: Buffer.from(url.split(',')[1] ?? '', 'base64') };
  }

  async function add(page: Page, ...files: Awaited<ReturnType<typeof picture>>[]): Promise<void> {
    const choosing = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Add an image' }).click();
    await (await choosing).setFiles(files);
  }

  it('are shown before and after they are sent, and go to the model that sees, small enough', async () => {
    const page = await open(seeing);
    await add(
      page,
      await picture(page, 'large.png', [3200, 800]),
      await picture(page, 'small.png', [40, 30]),
    );
    await page.getByRole('img', { name: 'Image 2' }).waitFor();
    expect(await unnamedControls(page)).toEqual([]);
    await page.getByRole('button', { name: 'Remove image 2' }).click();
    expect(await page.locator('.attachments img').count()).toBe(1);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
      'Remove image 1',
    );
    await askAndWait(page, QUESTION);
    expect(await page.locator('.attachments img').count()).toBe(0);
    expect(
      await page
        .locator('.sent-images img')
        .evaluate((image: HTMLImageElement) => [image.naturalWidth, image.naturalHeight]),
    ).toEqual([1600, 400]);
    const { body } = (await model.arrived(1)) as Awaited<ReturnType<ModelServer['arrived']>>;
    expect(body.model).toBe('scripted-vision');
    const parts = body.messages.at(-1)?.content as { type: string; image_url?: { url: string } }[];
    expect(
      parts.filter(({ type }) => type === 'image_url').map(({ image_url }) => image_url?.url.slice(0, 23)),
    ).toEqual(['data:image/jpeg;base64,']);
  });

  it('are refused in plain words where no model sees, and the question can be asked without', async () => {
    const page = await open(blind);
    const before = model.requests.length;
    await add(page, await picture(page, 'tongue.png', [40, 30]));
    await page.locator('.attachments img').waitFor();
    await askAndWait(page, QUESTION);
    await page.getByRole('heading', { name: 'Images cannot be looked at here' }).waitFor();
    await page.locator('.answer-body', { hasText: 'no model that sees is set up' }).waitFor();
    expect(model.requests.length).toBe(before);
    await askAndWait(page, QUESTION);
    expect(await page.locator('.exchange').nth(1).locator('.chip').count()).toBe(1);
  });

  it('are refused at once where they are none, or too many, and need a question', async () => {
    const page = await open(blind);
    const problem = page.locator('.composer .problem');
    await add(page, { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no image') });
    await expect.poll(() => problem.textContent()).toBe('“notes.png” is no PNG, JPEG, WebP or GIF image.');
    const small = await picture(page, 'small.png', [4, 4]);
    await add(page, small, small, small, small, small);
    await expect.poll(() => problem.textContent()).toBe('No more than 4 images go with a question.');
    expect(await page.locator('.attachments img').count()).toBe(4);
    await ask(page, ' ');
    await expect.poll(() => problem.textContent()).toBe('Write what you want to know about the image.');
    expect(await page.locator('.exchange').count()).toBe(0);
  });

  it('can be pasted', async () => {
    const page = await open(blind);
    await page.getByLabel('Your question').evaluate(async (field) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 4, height: 4 });
      const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
      const transfer = new DataTransfer();
      transfer.items.add(new File([blob as Blob], 'pasted.png', { type: 'image/png' }));
      field.dispatchEvent(
        new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }),
      );
    });
    await page.locator('.attachments img').waitFor();
  });
});
