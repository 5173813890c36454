import { accessSync, constants } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const USUAL_PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Where Chromium is: `CHROMIUM_BIN`, else one of the usual places. Undefined where there is none. */
export const chromiumPath = findChromium();

function findChromium(): string | undefined {
  const named = process.env.CHROMIUM_BIN;
  if (named !== undefined && named !== '') {
    if (!isExecutable(named)) throw new Error(`CHROMIUM_BIN is not an executable file: ${named}`);
    return named;
  }
  const found = USUAL_PATHS.find(isExecutable);
  if (found === undefined) {
    process.stderr.write('Browser tests are skipped: no Chromium found; install it or set CHROMIUM_BIN.\n');
  }
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A browser with a profile of its own, gone when it is closed. */
export function launchBrowser(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error('no Chromium found');
  return chromium.launch({ executablePath: chromiumPath, args: ARGUMENTS });
}

export interface OpenedPage {
  page: Page;
  /** Errors and warnings on the console, uncaught errors, and requests to other hosts, so far. */
  problems: readonly string[];
  close(): Promise<void>;
}

export interface OpenPageOptions extends BrowserContextOptions {
  /** Runs before the page is loaded. */
  prepare?: (page: Page) => Promise<unknown>;
}

/** Opens a page in a context of its own and watches it. */
export async function openPage(
  browser: Browser,
  url: string,
  { prepare, ...options }: OpenPageOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`));
  page.on('request', (request) => {
    const { host, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && host !== new URL(url).host) problems.push(`other host: ${host}`);
  });
  await prepare?.(page);
  await page.goto(url);
  return { page, problems, close: () => context.close() };
}
