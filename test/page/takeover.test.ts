import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGate } from '../stream/scripted-answers.js';
import { startTestApp, type TestApp } from '../support/app.js';
import { chromiumPath, type OpenPageOptions } from '../support/browser.js';
import {
  type ModelReply,
  type ModelRequest,
  type ModelServer,
  type ModelStep,
  startModelServer,
} from '../support/model-server.js';
import { faintTexts, sidewaysScrollers, unnamedControls, visibleText } from './page-checks.js';
import { ask, askAndWait, usePages } from './page-suite.js';

const QUESTION = 'How long do I have to return an item?';
const WISH = 'I want to talk to a human';
/** Writes follow-ups out as the same question, and answers with these steps. */
const answering =
  (...steps: ModelStep[]) =>
  ({ body }: ModelRequest): ModelReply =>
    body.messages.length === 1 ? { steps: [QUESTION] } : { steps };
const CITED = answering('You have 30 days to return an item [1].');
const PHONE = { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true };

describe.skipIf(chromiumPath === undefined)('a takeover on both pages', () => {
  let model: ModelServer;
  let app: TestApp;

  beforeAll(async () => {
    model = await startModelServer();
    app = await startTestApp({ env: { OPENAI_BASE_URL: model.url, CHAT_MODEL: 'scripted' } });
  });
  afterAll(async () => {
    await app?.close();
    await model?.close();
  });
  const pages = usePages();

  async function openChat(): Promise<Page> {
    const page = await pages.open(app.url);
    await page.getByRole('radio', { name: 'Shop support' }).check();
    return page;
  }

  const openDesk = (options?: OpenPageOptions) => pages.open(`${app.url}/operator`, options);

  /** A conversation that waits, named by its first question. */
  async function startWaiting(question: string): Promise<Page> {
    const visitor = await openChat();
    await askAndWait(visitor, question);
    await askAndWait(visitor, WISH);
    return visitor;
  }

  async function takeOver(desk: Page, question: string, name: string): Promise<void> {
    await desk.getByRole('button', { name: question }).click();
    await desk.getByLabel('Your name, as it is shown').fill(name);
    await desk.keyboard.press('Enter');
    await desk.getByLabel('Your reply').waitFor();
  }

  async function reply(desk: Page, text: string): Promise<void> {
    await desk.getByLabel('Your reply').fill(text);
    await desk.keyboard.press('Enter');
  }

  const transcript = (page: Page) =>
    page.locator(':is(.question, .operator-text, .released)').allInnerTexts();

  it('is asked for, taken, answered and given back, seen by both sides, also after a reload', async () => {
    model.respond(CITED);
    const desk = await openDesk();
    await desk.getByText('Nobody waits for a person.').waitFor();
    const visitor = await startWaiting(QUESTION);
    const listed = desk.getByRole('button', { name: QUESTION });
    await listed.waitFor();
    expect(await visibleText(listed)).toMatch(/Waits[\s\S]*Shop support · asked for a person · since/);
    expect(await desk.title()).toBe('(1) Operator desk · Askbase');

    await takeOver(desk, QUESTION, 'Mei');
    expect(await desk.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
    await visitor.getByText('Mei answers here now; the assistant is silent meanwhile.').waitFor();
    expect(await visitor.getByLabel('Your message').getAttribute('placeholder')).toBe('Write to Mei…');
    expect(await visitor.getByRole('button', { name: 'Add an image' }).count()).toBe(0);
    const before = model.requests.length;
    await visitor.getByLabel('Your message').fill('My parcel is broken.');
    await visitor.keyboard.press('Enter');
    await desk.getByRole('heading', { name: 'My parcel is broken.' }).waitFor();
    await reply(desk, 'I am sorry.\nI send you a new one.');
    const written = visitor.locator('.operator-message');
    await written.waitFor();
    expect(await visibleText(written)).toMatch(
      /^Mei\s+a person\s+\d\d:\d\d\s+I am sorry\.\nI send you a new one\.$/,
    );
    await expect
      .poll(() => visitor.locator('#announcer').textContent())
      .toBe('Mei: I am sorry.\nI send you a new one.');
    expect(model.requests.length).toBe(before);

    const said = [QUESTION, WISH, 'My parcel is broken.', 'I am sorry.\nI send you a new one.'];
    expect(await transcript(desk)).toEqual(said);
    await visitor.reload();
    await visitor.locator('.operator-message').waitFor();
    expect(await transcript(visitor)).toEqual(said);
    await visitor.getByText('Mei answers here now').waitFor();

    await desk.getByRole('button', { name: 'Give back to the assistant' }).click();
    await visitor.getByText('The assistant answers here again.').waitFor();
    await desk.getByText('Nobody waits for a person.').waitFor();
    await expect.poll(() => visitor.locator('#handling').textContent()).toBe('');
    await askAndWait(visitor, 'How long do I have to return headphones?');
    expect(model.requests.length).toBeGreaterThan(before);
    await visitor.reload();
    await visitor.locator('.exchange').nth(3).locator('.actions').waitFor();
    await visitor.locator('.released').waitFor();
    expect(await transcript(visitor)).toEqual([
      ...said,
      'The assistant answers here again.',
      'How long do I have to return headphones?',
    ]);
  });

  it('shows the operator on which passages the answers rest, with their scores', async () => {
    model.respond(CITED);
    await startWaiting('How long do I have to return an item I bought?');
    const desk = await openDesk();
    await desk.getByRole('button', { name: 'How long do I have to return an item I bought?' }).click();
    await desk.locator('.source-score').waitFor();
    expect(await visibleText(desk.locator('.source-score'))).toMatch(/^[01]\.\d\d$/);
    expect(await desk.getByRole('button', { name: 'Good answer' }).count()).toBe(0);
    await desk.locator('.chip').click();
    const passage = desk.getByRole('dialog', { name: 'Passage' });
    expect((await passage.locator('mark').allInnerTexts()).join('')).toContain('30 days');
    await desk.getByRole('button', { name: 'Why these passages' }).click();
    await desk
      .getByRole('dialog', { name: 'Why these passages' })
      .locator('.candidate-kept')
      .first()
      .waitFor();
  });

  it('stops what the assistant is writing, which the operator sees live before', async () => {
    model.respond(CITED);
    const visitor = await startWaiting('How long do I have to return a kettle?');
    const desk = await openDesk();
    await desk.getByRole('button', { name: 'How long do I have to return a kettle?' }).click();
    const gate = createGate();
    model.respond(answering('You have 30 days', { wait: gate.opened }, ' to return an item.'));
    await ask(visitor, 'How long do I have to return an item, please?');
    await desk.getByText('You have 30 days').nth(1).waitFor();
    await desk.getByLabel('Your name, as it is shown').fill('Mei');
    await desk.keyboard.press('Enter');
    await visitor.getByText('Stopped. What you see is not complete.').waitFor();
    gate.open();
    await desk.getByRole('button', { name: 'Give back to the assistant' }).click();
    await visitor.getByText('Mei answers here now').waitFor({ state: 'detached' });
  });

  it('marks what is new in a conversation that is not open, and refuses one that a colleague has', async () => {
    model.respond(CITED);
    const first = await startWaiting('How long can I return a lamp?');
    const desk = await openDesk();
    await takeOver(desk, 'How long can I return a lamp?', 'Mei');
    const colleague = await openDesk();
    const listed = colleague.getByRole('button', { name: 'How long can I return a lamp?' });
    await listed.waitFor();
    expect(await visibleText(listed)).toContain('Mei answers');
    await first.getByLabel('Your message').fill('Hello?');
    await first.keyboard.press('Enter');
    await listed.getByText('new message').waitFor();
    expect(await colleague.locator('#news').textContent()).toBe('New message: Hello?');
    await listed.click();
    await colleague.getByRole('heading', { name: 'Hello?' }).waitFor();
    expect(await listed.getByText('new message').count()).toBe(0);
    expect(await colleague.getByLabel('Your reply').isVisible()).toBe(false);
    await colleague.getByRole('button', { name: 'Give back to the assistant' }).click();
    await expect.poll(() => desk.getByLabel('Your reply').isVisible()).toBe(false);
  });

  describe('for every operator', () => {
    type Look = (page: Page) => Promise<string[]>;

    /** Leads both pages through a takeover, and looks at each. */
    async function walk(desk: Page, look: Look): Promise<Record<string, string[]>> {
      const question = 'How long do I have to return an item at all?';
      model.respond(CITED);
      const findings: Record<string, string[]> = {};
      const at = async (name: string, page = desk): Promise<void> => {
        const found = await look(page);
        if (found.length > 0) findings[name] = found;
      };
      const visitor = await startWaiting(question);
      await desk.getByRole('button', { name: question }).waitFor();
      await at('list');
      await desk.getByRole('button', { name: question }).click();
      await desk.locator('.source-score').waitFor();
      await at('waiting');
      await desk.getByLabel('Your name, as it is shown').fill('Mei');
      await desk.keyboard.press('Enter');
      await reply(desk, `A long word: ${'x'.repeat(200)}`);
      await desk.locator('.operator-message').waitFor();
      await at('taken');
      await visitor.locator('.operator-message').waitFor();
      await at('chat', visitor);
      await desk.getByRole('button', { name: 'Give back to the assistant' }).click();
      await visitor.getByText('The assistant answers here again.').waitFor();
      return findings;
    }

    it('has a name for every control, and enough contrast in light and dark', async () => {
      const desk = await openDesk({ reducedMotion: 'reduce' });
      const findings = await walk(desk, async (page) => {
        await page.emulateMedia({ colorScheme: 'dark' });
        const dark = await faintTexts(page);
        await page.emulateMedia({ colorScheme: 'light' });
        return [...(await unnamedControls(page)), ...dark, ...(await faintTexts(page))];
      });
      expect(findings).toEqual({});
    });

    it('fits a phone: the list, or the conversation and a way back', async () => {
      const desk = await openDesk(PHONE);
      expect(await walk(desk, sidewaysScrollers)).toEqual({});
      expect(await desk.getByRole('navigation').isVisible()).toBe(false);
      await desk.getByRole('button', { name: 'To the list' }).tap();
      expect(await desk.getByRole('navigation').isVisible()).toBe(true);
      expect(await desk.getByRole('main').isVisible()).toBe(false);
    });

    it('speaks Chinese', async () => {
      const desk = await openDesk({ locale: 'zh-CN' });
      await desk.getByRole('heading', { name: '人工坐席' }).waitFor();
      await desk.getByRole('navigation', { name: '需要人工的对话' }).waitFor();
      await desk.getByRole('button', { name: 'English' }).click();
      await desk.getByRole('heading', { name: 'Operator desk' }).waitFor();
    });
  });
});
