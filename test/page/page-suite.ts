import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { launchBrowser, type OpenedPage, type OpenPageOptions, openPage } from '../support/browser.js';

export interface Pages {
  open(url: string, options?: OpenPageOptions): Promise<Page>;
  /** Closes what is open, as a reader does; what it complained about is looked at in the end. */
  close(): Promise<void>;
  /** What the browser may complain about in this test. */
  expectProblems(problems: RegExp): void;
}

/**
 * Pages in a browser for the tests of a suite: closed after each test, which fails where the browser complained. Call it
 * behind an `afterEach` that closes the server, so that pages close first.
 */
export function usePages(): Pages {
  let browser: Browser;
  let opened: OpenedPage[] = [];
  let problems: string[] = [];
  let expected = /^$/;

  const close = async (): Promise<void> => {
    problems.push(...opened.flatMap((one) => one.problems));
    await Promise.all(opened.map((one) => one.close()));
    opened = [];
  };

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    await close();
    const unexpected = problems.filter((problem) => !expected.test(problem));
    problems = [];
    expected = /^$/;
    expect(unexpected).toEqual([]);
  });

  return {
    async open(url, options) {
      const one = await openPage(browser, url, options);
      opened.push(one);
      return one.page;
    },
    close,
    expectProblems(next) {
      expected = next;
    },
  };
}

/** Asks on the chat page. */
export async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel('Your question').fill(question);
  await page.keyboard.press('Enter');
}

/** Asks, and waits until the answer is complete. */
export async function askAndWait(page: Page, question: string): Promise<void> {
  const before = await page.locator('.exchange').count();
  await ask(page, question);
  await page.locator('.exchange').nth(before).locator('.actions').waitFor();
}
