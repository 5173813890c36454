import { type BrowserContextOptions, devices, type Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError, toPublicError } from '../../src/errors.js';
import type { FrameBody, NoAnswerReason } from '../../src/frames.js';
import { createGate } from '../stream/scripted-answers.js';
import { chromiumPath, type OpenPageOptions } from '../support/browser.js';
import { faintTexts, isInView, sidewaysScrollers, unnamedControls, visibleText } from './page-checks.js';
import { ask, askAndWait, usePages } from './page-suite.js';
import {
  answer,
  cited,
  completed,
  found,
  markedAnswer,
  PASSAGE_IDS,
  started,
  TRACE,
  WHOLE_TEXT,
} from './scripted-frames.js';
import { type ScriptedServer, startScriptedServer } from './scripted-server.js';

const PHONE: BrowserContextOptions = {
  viewport: { width: 320, height: 640 },
  isMobile: true,
  hasTouch: true,
};

describe.skipIf(chromiumPath === undefined)('the page', () => {
  let server: ScriptedServer;

  beforeEach(async () => {
    server = await startScriptedServer();
    server.respond(answer);
    server.explain(TRACE);
  });
  afterEach(() => server.close());
  const pages = usePages();

  async function open(options: OpenPageOptions = {}): Promise<Page> {
    const page = await pages.open(server.url, options);
    await page.locator('.knowledge-card, .load-failure').first().waitFor();
    return page;
  }

  const finished = (page: Page) => page.locator('.exchange:last-child .actions').waitFor();

  const without = (reason: NoAnswerReason, text: string) =>
    async function* (asked: { text: string }): AsyncGenerator<FrameBody> {
      yield started(asked.text);
      if (reason === 'policy') yield { type: 'handoff-requested', reason: 'asked' };
      yield { type: 'text-delta', text };
      yield completed(text, { status: 'no-answer', reason });
    };

  describe('an answer', () => {
    it('is shown while it is written, with a chip where a citation ends', async () => {
      const gate = createGate();
      server.respond(async function* ({ text }) {
        yield started(text);
        yield found;
        yield { type: 'text-delta', text: 'You have **30 days**.' };
        yield { type: 'citation-added', ...cited(1, [0, 21], '30 days') };
        await gate.opened;
        yield { type: 'text-delta', text: ' Unused only.' };
        yield completed('You have **30 days**. Unused only.', { citations: [cited(1, [0, 21], '30 days')] });
      });
      const page = await open();
      await ask(page, 'How long?');
      await page.getByRole('button', { name: 'Source 1: Returns and refunds › How long you have' }).waitFor();
      expect(await visibleText(page.locator('.answer-body'))).toBe('You have 30 days.1');
      expect(await page.locator('.answer').getAttribute('aria-busy')).toBe('true');
      expect(await page.getByRole('button', { name: 'Stop' }).isVisible()).toBe(true);
      gate.open();
      await finished(page);
      expect(await visibleText(page.locator('.answer-body'))).toBe('You have 30 days.1 Unused only.');
      expect(await visibleText(page.locator('.answer-body strong'))).toBe('30 days');
      expect(await page.locator('.answer').getAttribute('aria-busy')).toBe('false');
      expect(await page.getByRole('button', { name: 'Ask', exact: true }).isVisible()).toBe(true);
    });

    it('lists only the sources it cites', async () => {
      server.respond(async function* ({ text }) {
        yield started(text);
        yield found;
        yield { type: 'text-delta', text: 'Free.' };
        yield { type: 'citation-added', ...cited(2, [0, 5], 'free') };
        yield completed('Free.', { citations: [cited(2, [0, 5], 'free')] });
      });
      const page = await open();
      await askAndWait(page, 'Cost?');
      expect(await page.locator('.source').allInnerTexts()).toEqual(['2\nShipping']);
    });

    it('never becomes HTML, whatever the model writes', async () => {
      const hostile =
        '<img src=x onerror="window.pwned=1"> <script>window.pwned=1</script> [click](javascript:window.pwned=1)';
      server.respond(async function* ({ text }) {
        yield started(text);
        yield { type: 'text-delta', text: hostile };
        yield completed(hostile);
      });
      const page = await open();
      await askAndWait(page, '<b>bold?</b>');
      expect(await visibleText(page.locator('.question'))).toBe('<b>bold?</b>');
      expect(await visibleText(page.locator('.answer-body'))).toContain(
        '<img src=x onerror="window.pwned=1">',
      );
      expect(await page.locator('.answer-body :is(img, script, a)').count()).toBe(0);
      expect(await page.evaluate(() => 'pwned' in window)).toBe(false);
    });

    it('marks sentences that the passages do not support, and says so in words', async () => {
      server.respond(markedAnswer);
      const page = await open();
      await askAndWait(page, 'Is it so?');
      expect(await page.locator('.verdict-weak').allInnerTexts()).toEqual(['Shaky.']);
      const wrong = page.locator('.verdict-unsupported');
      expect(await wrong.allInnerTexts()).toEqual(['Wrong.']);
      await wrong.click();
      expect(await wrong.evaluate((mark) => getComputedStyle(mark, '::after').content)).toContain(
        'another number than “Wrong”',
      );
      const notes = (await page.locator('.note').allInnerTexts()).join('\n');
      expect(notes).toContain('only partly supported by the passage it cites');
      expect(notes).toContain('not supported by any passage');
      expect(notes).toContain('not available (rerank)');
    });

    it('says how a follow-up was understood, and goes on in the same conversation', async () => {
      const turns: number[] = [];
      const conversations = new Set<string>();
      server.respond(async function* (asked) {
        turns.push(asked.turns.length);
        conversations.add(asked.conversationId);
        const standalone = asked.turns.length > 0 ? 'How long is the warranty of the kettle?' : asked.text;
        yield started(asked.text, standalone);
        yield { type: 'text-delta', text: 'Two years.' };
        yield completed('Two years.');
      });
      const page = await open();
      await askAndWait(page, 'Do you sell kettles?');
      expect(await page.locator('.understood').isVisible()).toBe(false);
      await askAndWait(page, 'And its warranty?');
      expect(await visibleText(page.locator('.understood').nth(1))).toBe(
        'Understood as: How long is the warranty of the kettle?',
      );
      expect(turns).toEqual([0, 1]);
      expect(conversations.size).toBe(1);
    });

    it('can be stopped, and asked for again', async () => {
      let aborted = false;
      server.respond(async function* ({ text }, { signal }) {
        yield started(text);
        yield { type: 'text-delta', text: 'Once upon a time' };
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        aborted = true;
        signal.throwIfAborted();
      });
      const page = await open();
      await ask(page, 'A story?');
      await page.getByText('Once upon a time').waitFor();
      await page.getByRole('button', { name: 'Stop' }).click();
      await page.getByText('Stopped. What you see is not complete.').waitFor();
      expect(aborted).toBe(true);
      server.respond(answer);
      await page.getByRole('button', { name: 'Ask again' }).click();
      await page.getByText('Version 2 of 2').waitFor();
      expect(await page.locator('.question').allInnerTexts()).toEqual(['A story?']);
      expect(await page.locator('.chip').count()).toBe(2);
    });

    it('is worded anew on request, and every version stays, over a reload as well', async () => {
      const worded = (text: string) =>
        async function* (asked: { text: string }): AsyncGenerator<FrameBody> {
          yield started(asked.text);
          yield { type: 'text-delta', text };
          yield completed(text);
        };
      server.respond(worded('First wording.'));
      const page = await open();
      await askAndWait(page, 'How long?');
      expect(await page.getByText(/^Version/).count()).toBe(0);
      server.respond(worded('Second wording.'));
      await page.getByRole('button', { name: 'Answer again' }).click();
      await page.getByText('Version 2 of 2').waitFor();
      expect(await page.locator('.answer-body').allInnerTexts()).toEqual(['Second wording.']);
      await askAndWait(page, 'And then?');

      const shownFirst = async (): Promise<string> => visibleText(page.locator('.answer-body').first());
      await page.getByRole('button', { name: 'Previous version' }).click();
      expect(await shownFirst()).toBe('First wording.');
      expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
        'Next version',
      );
      await page.keyboard.press('Enter');
      expect(await shownFirst()).toBe('Second wording.');

      await page.reload();
      await page.getByText('Version 2 of 2').waitFor();
      expect(await page.locator('.question').allInnerTexts()).toEqual(['How long?', 'And then?']);
      expect(await shownFirst()).toBe('Second wording.');
    });

    it('says where it was cut off', async () => {
      server.respond(async function* ({ text }) {
        yield started(text);
        yield { type: 'text-delta', text: 'You have' };
        yield completed('You have', { cutOff: true });
      });
      const page = await open();
      await askAndWait(page, 'How long?');
      await page
        .getByText(
          'Cut off here by the model service: at the longest answer it gives, or by its content filter.',
        )
        .waitFor();
    });

    it('is not offered anew where no model worded it', async () => {
      server.respond(async function* ({ text }) {
        const { usage: _, ...quoted } = completed('As it stands there.') as Extract<
          FrameBody,
          { type: 'answer-completed' }
        >;
        yield started(text);
        yield { type: 'text-delta', text: 'As it stands there.' };
        yield quoted;
      });
      const page = await open();
      await askAndWait(page, 'How long?');
      expect(await page.getByRole('button', { name: 'Copy' }).isVisible()).toBe(true);
      expect(await page.getByRole('button', { name: 'Answer again' }).count()).toBe(0);
    });

    it('is copied with its citations and sources', async () => {
      const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
      await askAndWait(page, 'How long?');
      await page.getByRole('button', { name: 'Copy' }).click();
      await page.getByText('Copied').waitFor();
      expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
        'You have **30 days**.[1] Delivery is free from 50 euro.[2]\n\n' +
          '[1] Returns and refunds › How long you have https://shop.example/returns\n[2] Shipping',
      );
    });

    it('keeps the end in view until the reader scrolls up', async () => {
      const gates = [createGate(), createGate()];
      const part = Array.from({ length: 40 }, (_, index) => `Line ${index}.\n\n`).join('');
      server.respond(async function* ({ text }) {
        yield started(text);
        yield { type: 'text-delta', text: part };
        await gates[0]?.opened;
        yield { type: 'text-delta', text: `${part}second\n\n` };
        await gates[1]?.opened;
        yield completed(`${part}${part}second\n\n`);
      });
      const page = await open();
      const scroller = page.locator('#scroller');
      const distance = () =>
        scroller.evaluate((node) => node.scrollHeight - node.scrollTop - node.clientHeight);
      await ask(page, 'Long?');
      await page.getByText('Line 39.').waitFor();
      await expect.poll(distance).toBeLessThan(2);
      await scroller.evaluate((node) => node.scrollTo(0, 100));
      await page.getByRole('button', { name: 'To the latest' }).waitFor();
      gates[0]?.open();
      await page.getByText('second').waitFor();
      expect(await scroller.evaluate((node) => node.scrollTop)).toBe(100);
      await page.getByRole('button', { name: 'To the latest' }).click();
      await expect.poll(distance).toBeLessThan(2);
      gates[1]?.open();
      await finished(page);
    });
  });

  describe('what is not simply an answer', () => {
    it('is named: no answer, with its reason and questions that have one', async () => {
      server.respond(without('below-threshold', 'I do not know.'));
      const page = await open();
      await askAndWait(page, 'Weather?');
      await page.getByRole('heading', { name: 'No answer in this knowledge base' }).waitFor();
      await page.locator('.explanation', { hasText: 'none is relevant enough' }).waitFor();
      server.respond(answer);
      await page.locator('.answer-after .starter').first().click();
      await page.locator('.exchange').nth(1).locator('.chip').first().waitFor();
    });

    it('lets a question that the server suggests be asked by a click, once', async () => {
      server.respond(
        without(
          'no-hits',
          'I do not know. Ask something like:\n\n- What does delivery cost?\n- Something else',
        ),
      );
      const page = await open();
      await askAndWait(page, 'Weather?');
      expect(await page.locator('.answer-after .starter').count()).toBe(0);
      server.respond(answer);
      await page.locator('.answer-body').getByRole('button').click();
      await page.locator('.exchange').nth(1).locator('.chip').first().waitFor();
      expect(await visibleText(page.locator('.question').nth(1))).toBe('What does delivery cost?');
    });

    it('makes the questions clickable that the server found nearest', async () => {
      const text = 'I do not know. Ask something like:\n\n- Do parcels go to Peru?';
      server.respond(async function* (asked: { text: string }): AsyncGenerator<FrameBody> {
        yield started(asked.text);
        yield { type: 'text-delta', text };
        const suggestions = ['Do parcels go to Peru?'];
        const abstention = { bestScore: 0.2, nearestTopics: [], suggestions };
        yield completed(text, { status: 'no-answer', reason: 'below-threshold', abstention });
      });
      const page = await open();
      await askAndWait(page, 'Weather?');
      server.respond(answer);
      await page.locator('.answer-body').getByRole('button', { name: 'Do parcels go to Peru?' }).click();
      await page.locator('.exchange').nth(1).locator('.chip').first().waitFor();
    });

    it('stands out: a red flag is answered in a frame of its own, without scores to explain', async () => {
      server.respond(without('triage', 'Call an ambulance now.'));
      const page = await open();
      await page.getByLabel('Health information').check();
      await askAndWait(page, 'Chest pain');
      await page.getByRole('heading', { name: 'Please read this first' }).waitFor();
      expect(await visibleText(page.locator('.answer-triage'))).toContain('Call an ambulance now.');
      expect(await page.getByRole('button', { name: 'Why these passages' }).count()).toBe(0);
      expect(await visibleText(page.locator('.conversation .disclaimer'))).toBe(
        'General information, not a diagnosis.',
      );
    });

    it('says that a person was asked for', async () => {
      server.respond(without('policy', 'Our team will answer.'));
      const page = await open();
      await askAndWait(page, 'A human please');
      await page.getByText('A person has been asked to take over this conversation.').waitFor();
    });

    it('does not call it a missing answer where it asks back, or where a person answers', async () => {
      server.respond(without('clarification', 'How old is the child?'));
      const page = await open();
      await askAndWait(page, 'Fever');
      await page.getByRole('heading', { name: 'One question first' }).waitFor();
      server.respond(without('operator', 'Your message was passed on.'));
      await ask(page, 'Are you there?');
      await page.getByRole('heading', { name: 'A person will answer here' }).waitFor();
      expect(await page.getByRole('button', { name: 'Why these passages' }).count()).toBe(0);
    });

    it('offers another try where the search or the model failed', async () => {
      server.respond(without('dependency-down', 'I cannot search now.'));
      const page = await open();
      await askAndWait(page, 'First');
      await page.getByRole('heading', { name: 'Cannot search right now' }).waitFor();
      server.respond(async function* ({ text }) {
        yield started(text);
        throw new Error('a bug');
      });
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.locator('.explanation', { hasText: 'Something broke on the server.' }).waitFor();
      server.respond(answer);
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByText('Version 3 of 3').waitFor();
      await page.locator('.chip').first().waitFor();
    });
  });

  describe('a cited passage', () => {
    it('opens beside the conversation with the quote marked and in view, and the keyboard leads there and back', async () => {
      const page = await open();
      await askAndWait(page, 'How long?');
      await page.locator('.chip').first().focus();
      await page.keyboard.press('Enter');
      const panel = page.getByRole('dialog', { name: 'Passage' });
      await panel.waitFor();
      expect(await visibleText(panel.locator('.passage-header h3'))).toBe('Returns and refunds');
      expect(await visibleText(panel.locator('.passage-place'))).toBe('How long you have');
      expect(await panel.getByRole('link', { name: 'Open the source' }).getAttribute('href')).toBe(
        'https://shop.example/returns',
      );
      expect((await panel.locator('mark').allInnerTexts()).join('')).toBe('within 30 days of delivery');
      await expect.poll(() => isInView(panel.locator('mark').first())).toBe(true);
      expect(await page.getByLabel('Your question').isEditable()).toBe(true);

      await panel.getByRole('button', { name: 'Next citation' }).focus();
      await page.keyboard.press('Enter');
      expect(await visibleText(panel.locator('mark'))).toBe('free from 50 euro');
      expect(await panel.getByText('Citation 2 of 2').isVisible()).toBe(true);
      await expect.poll(() => isInView(panel.locator('mark'))).toBe(true);

      await page.keyboard.press('Escape');
      expect(await panel.count()).toBe(0);
      expect(await page.evaluate(() => document.activeElement?.className)).toBe('chip');
    });

    it('is shown whole with the words apart, where the quote does not stand in it', async () => {
      const citation = cited(2, [0, 5], 'words that nobody wrote');
      server.respond(async function* ({ text }) {
        yield started(text);
        yield found;
        yield { type: 'text-delta', text: 'Free.' };
        yield { type: 'citation-added', ...citation };
        yield completed('Free.', { citations: [citation] });
      });
      const page = await open();
      await askAndWait(page, 'Cost?');
      await page.locator('.chip').click();
      await page.getByText('words that nobody wrote').waitFor();
      expect(await page.locator('.passage-text mark').count()).toBe(0);
    });

    it('is a modal sheet on a phone', async () => {
      const page = await open(PHONE);
      await askAndWait(page, 'How long?');
      await page.locator('.chip').first().tap();
      const panel = page.getByRole('dialog', { name: 'Passage' });
      await panel.waitFor();
      expect(await page.locator('dialog:modal').count()).toBe(1);
      await expect.poll(() => isInView(panel.locator('mark').first())).toBe(true);
      await page.keyboard.press('Escape');
      expect(await panel.count()).toBe(0);
    });
  });

  it('calls no candidate used where nothing was answered', async () => {
    server.respond(without('below-threshold', 'I do not know.'));
    server.explain({ ...TRACE, status: 'no-answer', reason: 'out-of-scope' });
    const page = await open();
    await askAndWait(page, 'How long?');
    await page.getByRole('button', { name: 'Why these passages' }).click();
    const panel = page.getByRole('dialog', { name: 'Why these passages' });
    await panel.getByText('3 candidates were found; 0 went to the answer.').waitFor();
    expect(await panel.locator('.decision').allInnerTexts()).toEqual([
      'Not used',
      'Not used',
      'Not relevant',
    ]);
    expect(await panel.locator('.source-number').count()).toBe(0);
  });

  it('still calls those used that an answer was written from and withheld', async () => {
    server.respond(async function* ({ text }) {
      yield started(text);
      yield found;
      yield { type: 'text-delta', text: 'It is withheld.' };
      yield completed('It is withheld.', { status: 'no-answer', reason: 'policy' });
    });
    server.explain({ ...TRACE, status: 'no-answer', reason: 'policy' });
    const page = await open();
    await askAndWait(page, 'How long?');
    await page.getByRole('button', { name: 'Why these passages' }).click();
    const panel = page.getByRole('dialog', { name: 'Why these passages' });
    await panel.getByText('3 candidates were found; 2 went to the answer.').waitFor();
  });

  it('says so where the key may ask and not look behind answers', async () => {
    pages.expectProblems(/403/);
    const page = await open({
      prepare: (one) =>
        one.route('**/trace', (route) =>
          route.fulfill({ status: 403, json: { error: toPublicError(new AppError('forbidden')) } }),
        ),
    });
    await askAndWait(page, 'How long?');
    await page.getByRole('button', { name: 'Why these passages' }).click();
    const panel = page.getByRole('dialog', { name: 'Why these passages' });
    await panel.getByText('Your key may ask, but not see how answers come about.').waitFor();
    expect(await panel.getByRole('button', { name: 'Try again' }).count()).toBe(0);
  });

  it('explains every candidate with its scores, and where the time went', async () => {
    const page = await open();
    await askAndWait(page, 'How long?');
    await page.getByRole('button', { name: 'Why these passages' }).click();
    const panel = page.getByRole('dialog', { name: 'Why these passages' });
    await panel.getByText('Likely to be answered: 0.87. Below 0.40 nothing is answered.').waitFor();
    await panel.locator('.candidate').first().waitFor();
    const text = await visibleText(panel);
    expect(text).toContain('3 candidates were found; 2 went to the answer. Threshold 0.55.');
    const cards = await panel.locator('.candidate').allInnerTexts();
    expect(cards[0]).toMatch(
      /^1\s[\s\S]*Used[\s\S]*0\.973[\s\S]*14\.20\s+rank 1[\s\S]*0\.830\s+rank 1[\s\S]*0\.0325\s+rank 1[\s\S]*3\.60\s+rank 1/,
    );
    expect(cards[2]).toMatch(
      /Not relevant[\s\S]*not reranked[\s\S]*not found this way[\s\S]*0\.410\s+rank 3/,
    );
    expect(await panel.getByRole('img', { name: 'Relevance 0.973, threshold 0.55' }).count()).toBe(1);
    expect(text).toMatch(/Rerank\s+140 ms/);
    expect(text).toMatch(/Total\s+1,350 ms/);
    expect(text).toMatch(
      /tiny-embedder[\s\S]*tiny-reranker[\s\S]*cpu[\s\S]*scripted[\s\S]*1,204 read, 131 written/,
    );
    expect(text).toMatch(/Cost\s+0\.000420/);
    expect(text).toMatch(/From memory\s+a question like it was answered before \(0\.970\)/);
    expect(text).toMatch(/Best logit\s+3\.60[\s\S]*Share of the rare words covered\s+0\.90/);
    expect(await panel.getByText('Answer from the passages.').isVisible()).toBe(false);
    await panel.getByText('What the model was asked').click();
    expect(await visibleText(panel.locator('.prompt-sent'))).toMatch(
      /system\s+Answer from the passages\.\s+user\s+How long\?/,
    );

    await panel.getByRole('button', { name: 'Gift services' }).click();
    await page.getByText('Gift cards cannot be returned.').waitFor();
    await page.getByRole('button', { name: 'Back' }).click();
    expect(await page.getByRole('dialog', { name: 'Why these passages' }).count()).toBe(1);

    await page.locator('.chip').first().click();
    await page.getByRole('dialog', { name: 'Passage' }).waitFor();
    await page.keyboard.press('Escape');
    expect(await page.evaluate(() => document.activeElement?.className)).toBe('chip');
  });

  it('takes a verdict, and after a thumb down a comment and the sources that do not fit', async () => {
    const page = await open();
    await askAndWait(page, 'How long?');
    await page.getByRole('button', { name: 'Good answer' }).click();
    await page.getByText('Thank you.').waitFor();
    expect(await page.getByRole('button', { name: 'Good answer' }).getAttribute('aria-pressed')).toBe('true');
    await page.getByRole('button', { name: 'Bad answer' }).click();
    await page.getByLabel('What was wrong?').fill('Opened filters are missing.');
    await page.getByLabel('2 · Shipping').check();
    await page.getByRole('button', { name: 'Send' }).click();
    await expect.poll(() => server.feedback.length).toBe(3);
    expect(server.feedback.map(({ verdict }) => verdict)).toEqual(['up', 'down', 'down']);
    expect(server.feedback[2]).toMatchObject({
      comment: 'Opened filters are missing.',
      passageIds: [PASSAGE_IDS[1]],
    });
  });

  describe('what is under way', () => {
    const words = Array.from({ length: 30 }, (_, index) => `word${index} `);
    const slow = (gates: ReturnType<typeof createGate>[]) =>
      async function* ({ text }: { text: string }): AsyncGenerator<FrameBody> {
        yield started(text);
        yield found;
        for (const [index, word] of words.entries()) {
          await gates[Math.floor(index / 10) - 1]?.opened;
          yield { type: 'text-delta', text: word };
        }
        await gates[2]?.opened;
        yield completed(words.join(''));
      };

    it('goes on after a reload, with nothing lost and nothing twice', async () => {
      const gates = [createGate(), createGate(), createGate()];
      server.respond(answer);
      const page = await open();
      await askAndWait(page, 'First?');
      server.respond(slow(gates));
      await ask(page, 'Second?');
      await page.getByText('word9').waitFor();
      await page.reload();
      await page.getByText('word9').waitFor();
      gates[0]?.open();
      await page.getByText('word19').waitFor();
      await page.reload();
      gates[1]?.open();
      gates[2]?.open();
      await page.locator('.exchange').nth(1).locator('.actions').waitFor();
      expect(await page.locator('.question').allInnerTexts()).toEqual(['First?', 'Second?']);
      expect(await visibleText(page.locator('.answer-body').nth(0))).toBe(
        'You have 30 days.1 Delivery is free from 50 euro.2',
      );
      expect(await visibleText(page.locator('.answer-body').nth(1))).toBe(words.join('').trim());
    });

    it('goes on after the server was restarted, and says meanwhile that the connection is lost', async () => {
      pages.expectProblems(/ERR_CONNECTION_REFUSED|WebSocket|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
      const gates = [createGate(), createGate(), createGate()];
      server.respond(slow(gates));
      const page = await open();
      await ask(page, 'Long?');
      await page.getByText('word9').waitFor();
      await server.stopListening();
      await page.getByText('Connection lost.').waitFor();
      for (const gate of gates) gate.open();
      await server.listenAgain();
      await finished(page);
      expect(await visibleText(page.locator('.answer-body'))).toBe(words.join('').trim());
    });

    it('can be left for another knowledge base and come back to', async () => {
      const gates = [createGate(), createGate(), createGate()];
      server.respond(slow(gates));
      const page = await open();
      await ask(page, 'Long?');
      await page.getByText('word9').waitFor();
      await page.getByLabel('Knowledge base').selectOption('health');
      await page.locator('.welcome h1').waitFor();
      for (const gate of gates) gate.open();
      await page.getByLabel('Shop support').check();
      await finished(page);
      expect(await visibleText(page.locator('.answer-body'))).toBe(words.join('').trim());
    });

    it('keeps a question that is not sent yet over a reload', async () => {
      const page = await open();
      await page.getByLabel('Your question').fill('half a quest');
      await page.reload();
      await page.locator('.knowledge-card').first().waitFor();
      expect(await page.getByLabel('Your question').inputValue()).toBe('half a quest');
    });
  });

  it('starts a new conversation on request', async () => {
    const conversations: string[] = [];
    server.respond(async function* (asked) {
      conversations.push(asked.conversationId);
      yield* answer(asked);
    });
    const page = await open();
    await askAndWait(page, 'One?');
    await page.getByRole('button', { name: 'New conversation' }).click();
    await page.locator('.welcome h1').waitFor();
    await askAndWait(page, 'Two?');
    expect(await page.locator('.question').allInnerTexts()).toEqual(['Two?']);
    expect(await page.title()).toBe('Shop support · Askbase');
    expect(new Set(conversations).size).toBe(2);
  });

  it('starts anew where the server no longer has the conversation', async () => {
    const page = await open();
    await askAndWait(page, 'One?');
    await server.close();
    server = await startScriptedServer();
    server.respond(answer);
    const stored = await page.evaluate(() => sessionStorage.getItem('askbase') ?? '');
    await pages.close();
    pages.expectProblems(/404/);
    const other = await open({
      prepare: (one) => one.addInitScript((value) => sessionStorage.setItem('askbase', value), stored),
    });
    await other.locator('.welcome h1').waitFor();
    await askAndWait(other, 'Two?');
    expect(await other.locator('.question').allInnerTexts()).toEqual(['Two?']);
  });

  it('says in plain words that the server cannot be reached, and loads on request', async () => {
    pages.expectProblems(/ERR_FAILED/);
    const page = await open({
      prepare: (one) => one.route('**/v1/knowledge-bases', (route) => route.abort()),
    });
    await page.getByText('The knowledge bases could not be loaded.').waitFor();
    await page.unroute('**/v1/knowledge-bases');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByLabel('Shop support').waitFor();
  });

  it('says while the documents are still being read, and shows their number afterwards', async () => {
    pages.expectProblems(/503/);
    let passages = 7;
    const page = await open({
      async prepare(one) {
        await one.route('**/readyz', (route) => {
          const ready = passages !== 7;
          return route.fulfill({
            status: ready ? 200 : 503,
            json: { dependencies: { knowledge: { ready } } },
          });
        });
        await one.route('**/v1/knowledge-bases', async (route) => {
          const response = await route.fetch();
          const catalogue = await response.json();
          catalogue.knowledgeBases[0].passages = passages;
          await route.fulfill({ response, json: catalogue });
        });
      },
    });
    await page.getByText('The documents are being read.').waitFor();
    await page.getByText('3 documents · 7 passages').waitFor();
    passages = 41;
    await page.getByText('The documents are being read.').waitFor({ state: 'detached' });
    expect(await page.getByText('3 documents · 41 passages').count()).toBe(2);
  });

  it('says plainly that no model is configured, and what to set', async () => {
    await server.close();
    server = await startScriptedServer('extractive');
    const page = await open();
    const note = page.getByText(
      'Answers quote your documents word for word; no language model is configured.',
    );
    await note.click();
    await page.getByText('DASHSCOPE_API_KEY').waitFor();
  });

  it('speaks the language of the browser, and the other one on request', async () => {
    server.respond(async function* ({ text }) {
      yield started(text);
      yield { type: 'text-delta', text: '三十天。' };
      yield completed('三十天。');
    });
    const page = await open({ locale: 'zh-CN' });
    expect(await page.locator('html').getAttribute('lang')).toBe('zh');
    await page.getByRole('heading', { name: '有问，必有出处' }).waitFor();
    await page.getByRole('button', { name: '多少天内可以退货？' }).click();
    await page.getByRole('button', { name: '为何选这些段落' }).waitFor();
    expect(await page.locator('.answer-body').getAttribute('lang')).toBe('zh');
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByRole('button', { name: 'Why these passages' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Why these passages' }).waitFor();
  });

  describe('for the keyboard', () => {
    it('goes through without a mouse: choose, ask an example, open and close a passage', async () => {
      const page = await open();
      expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
      await page.getByLabel('Shop support').focus();
      await page.keyboard.press('ArrowDown');
      await expect.poll(() => page.getByLabel('Health information').isChecked()).toBe(true);
      await expect
        .poll(() => page.evaluate(() => (document.activeElement as HTMLInputElement | null)?.value))
        .toBe('health');
      await page.keyboard.press('ArrowUp');
      await page.getByRole('button', { name: 'What does delivery cost?' }).waitFor();
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await finished(page);
      expect(await visibleText(page.locator('.question'))).toBe(
        'How many days do I have to return something?',
      );
    });

    it('takes Shift and Enter as a new line, and leaves Enter to an input method that composes', async () => {
      const page = await open();
      const field = page.getByLabel('Your question');
      await field.fill('one');
      await page.keyboard.press('Shift+Enter');
      await page.keyboard.type('two');
      expect(await field.inputValue()).toBe('one\ntwo');
      const pressed = (init: { isComposing?: boolean; keyCode?: number }): Promise<boolean> =>
        field.evaluate((node, options) => {
          const event = { key: 'Enter', bubbles: true, cancelable: true, ...options };
          return node.dispatchEvent(new KeyboardEvent('keydown', event));
        }, init);
      expect(await pressed({ isComposing: true })).toBe(true);
      expect(await pressed({ keyCode: 229 })).toBe(true);
      expect(await page.locator('.exchange').count()).toBe(0);
      expect(await pressed({})).toBe(false);
      await page.locator('.exchange').waitFor();
    });
  });

  describe('for every reader', () => {
    /** Leads a page through what it can show, one after the other, and looks at each. */
    async function walk(page: Page, look: () => Promise<string[]>): Promise<Record<string, string[]>> {
      const findings: Record<string, string[]> = {};
      const at = async (name: string): Promise<void> => {
        const found = await look();
        if (found.length > 0) findings[name] = found;
      };
      await at('welcome');
      await askAndWait(page, 'How long?');
      await at('answer');
      await page.locator('.chip').first().click();
      await page.locator('.passage-text').waitFor();
      await at('passage');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Why these passages' }).click();
      await page.locator('.candidate').first().waitFor();
      await at('explanation');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Bad answer' }).click();
      await page.getByLabel('What was wrong?').waitFor();
      await at('feedback');
      server.respond(without('below-threshold', 'I do not know.'));
      await askAndWait(page, 'Weather?');
      await at('no answer');
      server.respond(markedAnswer);
      await askAndWait(page, 'Is it so?');
      await at('marked sentences');
      await page.getByLabel('Knowledge base').selectOption('health');
      await page.locator('.welcome h1').waitFor();
      await at('disclaimer');
      server.respond(without('triage', 'Call 120.'));
      await askAndWait(page, 'Chest pain');
      await at('red flag');
      return findings;
    }

    it('has a name for every control, and enough contrast in light and dark', async () => {
      const page = await open({ reducedMotion: 'reduce' });
      const findings = await walk(page, async () => {
        const unnamed = await unnamedControls(page);
        await page.emulateMedia({ colorScheme: 'dark' });
        const dark = await faintTexts(page);
        await page.emulateMedia({ colorScheme: 'light' });
        return [...unnamed, ...dark, ...(await faintTexts(page))];
      });
      expect(findings).toEqual({});
    });

    it('fits a phone without scrolling sideways', async () => {
      const page = await open(PHONE);
      const findings = await walk(page, () => sidewaysScrollers(page));
      expect(findings).toEqual({});
    });

    it('scrolls wide tables and code inside themselves', async () => {
      const cells = Array.from({ length: 9 }, (_, index) => `column${index}withoutspaces`);
      const row = (values: readonly string[]): string => `| ${values.join(' | ')} |`;
      const text = `${row(cells)}\n${row(cells.map(() => '---'))}\n${row(cells)}\n\n\`\`\`\n${'code '.repeat(80)}\n\`\`\`\n\n${'x'.repeat(300)}`;
      server.respond(async function* (asked) {
        yield started(asked.text);
        yield { type: 'text-delta', text };
        yield completed(text);
      });
      const page = await open(PHONE);
      await askAndWait(page, 'A table?');
      const widths = await page.evaluate(() =>
        ['#scroller', '.table-scroll', '.answer-body pre'].map((selector) => {
          const node = document.querySelector(selector) as HTMLElement;
          return node.scrollWidth > node.clientWidth;
        }),
      );
      expect(widths).toEqual([false, true, true]);
    });

    it('is still where the reader wants no motion', async () => {
      const gate = createGate();
      server.respond(async function* ({ text }) {
        yield started(text);
        yield { type: 'text-delta', text: 'Wait' };
        await gate.opened;
        yield completed('Wait');
      });
      const page = await open({ reducedMotion: 'reduce' });
      await ask(page, 'Moving?');
      await page.getByText('Wait').waitFor();
      expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
      gate.open();
      await finished(page);
    });

    it('tells those who hear the page when the answer is complete, and what it says', async () => {
      const page = await open();
      await askAndWait(page, 'How long?');
      await expect
        .poll(() => page.locator('#announcer').textContent())
        .toBe(`${WHOLE_TEXT}\nThe answer is complete, with 2 cited sources.`);
    });
  });

  it('works on a real phone profile', async () => {
    const page = await open(devices['iPhone 13']);
    await askAndWait(page, 'How long?');
    expect(await page.locator('.chip').count()).toBe(2);
  });
});
