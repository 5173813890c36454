import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnswerFrame } from '../../src/frames.js';
import { SAMPLE_KNOWLEDGE, startTestApp, type TestApp } from '../support/app.js';
import { askOverSocket } from '../support/ask-over-socket.js';
import { type ModelServer, startModelServer } from '../support/model-server.js';

const RETURNS = SAMPLE_KNOWLEDGE['shop/en/returns.md'] ?? '';
const POLICIES = ['show', 'mark', 'withhold'] as const;
const QUESTION = 'How many days do I have to return an item?';

/** The source that says how long: its number is what a right answer cites. */
function withNumber(frames: readonly AnswerFrame[], text: string): number {
  const found = frames.find((frame) => frame.type === 'sources-found');
  return found?.sources.find((source) => source.text.includes(text))?.n ?? 0;
}

describe('an answer of a language model, over a socket', () => {
  let model: ModelServer;
  let running: TestApp;
  beforeAll(async () => {
    model = await startModelServer();
    running = await startTestApp({
      env: { OPENAI_BASE_URL: model.url, OPENAI_API_KEY: 'any', CHAT_MODEL: 'scripted' },
      knowledge: Object.fromEntries(
        POLICIES.flatMap((policy) => [
          [`${policy}/kb.yaml`, `title: {en: Shop, zh: 商店}\ngrounding: ${policy}\n`],
          [`${policy}/en/returns.md`, RETURNS],
          [`${policy}/zh/returns.md`, SAMPLE_KNOWLEDGE['shop/zh/returns.md'] ?? ''],
        ]),
      ),
    });
  });
  afterAll(async () => {
    await running.close();
    await model.close();
  });

  /** What the model says may name the right source: it sees the passages too. */
  async function ask(policy: (typeof POLICIES)[number], write: (right: number) => string[], text = QUESTION) {
    const quoted = text === QUESTION ? 'You have 30 days' : '30天内可以退货';
    model.respond((request) => {
      const prompt = JSON.stringify(request.body.messages);
      const passages = [...prompt.matchAll(/<passage n=\\"(\d+)\\"(.*?)<\/passage/gs)];
      const right = passages.find(([, , passage]) => passage?.includes(quoted))?.[1];
      return { steps: write(Number(right)) };
    });
    const frames = await askOverSocket(running.url, { knowledgeBase: policy, text });
    const final = frames.at(-1);
    if (final?.type !== 'answer-completed') throw new Error(JSON.stringify(final));
    const sent = frames.map((frame) => (frame.type === 'text-delta' ? frame.text : '')).join('');
    expect(sent).toBe(final.text);
    return {
      frames,
      final,
      text: final.text,
      right: withNumber(frames, quoted),
      checks: frames.filter((frame) => frame.type === 'grounding-checked'),
      cited: final.citations.map(({ n, span }) => `${n}: ${final.text.slice(...span)}`),
    };
  }

  const RIGHT = 'You have 30 days to return an item';
  const WRONG = 'You have 90 days to return an item';

  it('is marked by default: each sentence with its verdict and what speaks against it', async () => {
    const { text, checks, cited, right } = await ask('mark', (n) => [
      `${RIGHT} [${n}]. ${WRONG} [${n}]. Sending a return back costs 4 euros. `,
      `Dragons guard our secret volcano warehouse [${n}].`,
    ]);
    expect(text).toBe(
      `${RIGHT}. ${WRONG}. Sending a return back costs 4 euros. Dragons guard our secret volcano warehouse.`,
    );
    expect(cited).toHaveLength(3);
    expect(cited[0]).toBe(`${right}: ${RIGHT}`);
    expect(checks.map(({ span, verdict, reasons }) => [text.slice(...span), verdict, reasons])).toEqual([
      [`${RIGHT}.`, 'supported', []],
      [`${WRONG}.`, 'unsupported', [{ reason: 'number', words: '90 days' }]],
      ['Sending a return back costs 4 euros.', 'weak', [{ reason: 'not-cited' }]],
      ['Dragons guard our secret volcano warehouse.', 'unsupported', [{ reason: 'not-said' }]],
    ]);
  });

  it('is shown without verdicts where the knowledge base says so', async () => {
    const { text, checks, cited } = await ask('show', (n) => [`${WRONG} [${n}].`]);
    expect(text).toBe(`${WRONG}.`);
    expect(cited).toHaveLength(1);
    expect(checks).toEqual([]);
  });

  it('loses its unsupported sentences where they are withheld: no frame has a word of them', async () => {
    const { frames, text, checks, cited, right } = await ask('withhold', (n) => [
      `${RIGHT} [${n}]. You have 9`,
      `0 days to return an item [${n}]. Opened headphones can not be returned [${n}].`,
    ]);
    expect(text).toBe(`${RIGHT}. Opened headphones can not be returned.`);
    expect(JSON.stringify(frames)).not.toContain('90 days');
    expect(cited).toEqual([`${right}: ${RIGHT}`, `${right}: Opened headphones can not be returned`]);
    expect(checks.map(({ span, verdict, withheld }) => [text.slice(...span), verdict, withheld])).toEqual([
      [`${RIGHT}.`, 'supported', undefined],
      ['', 'unsupported', true],
      ['Opened headphones can not be returned.', 'supported', undefined],
    ]);
    expect(checks[1]?.reasons).toEqual([{ reason: 'number' }]);
  });

  it('says that it does not know where all of it was withheld', async () => {
    const { final, text } = await ask('withhold', (n) => [`${WRONG} [${n}].`]);
    expect(final).toMatchObject({ status: 'no-answer', reason: 'policy', citations: [] });
    expect(text).toMatch(/^I don't know\. I wrote an answer from “.+”, but its passages do not bear it out/);
    expect(text).not.toContain('90');
  });

  it.each(POLICIES)('has no invented citation under “%s”', async (policy) => {
    const { text, cited } = await ask(policy, (n) => [`${RIGHT} [${n}][77].`]);
    expect(text).toBe(`${RIGHT}.`);
    expect(cited).toHaveLength(1);
  });

  it.each(POLICIES)('may cut its markers anywhere under “%s”', async (policy) => {
    const whole = await ask(policy, (n) => [
      `${RIGHT} [${n}]. Opened headphones can not be returned [${n}, 88].`,
    ]);
    const pieces = await ask(policy, (n) => [
      ...`${RIGHT} [${n}]. Opened headphones can not be returned [${n}, 88].`,
    ]);
    expect(pieces.text).toBe(whole.text);
    expect(pieces.text).not.toMatch(/[[\]]/);
    expect(pieces.cited).toEqual(whole.cited);
    expect(pieces.checks.map(({ span, verdict }) => [span, verdict])).toEqual(
      whole.checks.map(({ span, verdict }) => [span, verdict]),
    );
  });

  it.each(['show', 'mark'] as const)(
    'keeps a marker that never ends as the text it is under “%s”',
    async (policy) => {
      const { text } = await ask(policy, (n) => [`${RIGHT} [${n}]. See also [${n}`]);
      expect(text).toMatch(/See also \[\d$/);
    },
  );

  it.each(POLICIES)('keeps code as it is under “%s”', async (policy) => {
    const code = '```js\nlist[1] = 90; // days\n```';
    const { text, checks } = await ask(policy, (n) => [`${RIGHT} [${n}].\n\n${code}\n\nWhat is \`[2]\`?`]);
    expect(text).toBe(`${RIGHT}.\n\n${code}\n\nWhat is \`[2]\`?`);
    expect(checks.some(({ span }) => text.slice(...span).includes('90'))).toBe(false);
  });

  it('checks a table row by row, and withholds a row with its line', async () => {
    const table = (n: number) =>
      `| What | How long |\n| --- | --- |\n| return an item | 30 days [${n}] |\n| return an item | 90 days [${n}] |\n| opened headphones | can not be returned [${n}] |\n`;
    const marked = await ask('mark', (n) => [table(n)]);
    const wrong = marked.checks.filter(({ verdict }) => verdict === 'unsupported');
    expect(wrong.map(({ span }) => marked.text.slice(...span))).toEqual(['| return an item | 90 days |']);

    const { text } = await ask('withhold', (n) => [table(n)]);
    expect(text.trim().split('\n')).toEqual([
      '| What | How long |',
      '| --- | --- |',
      '| return an item | 30 days |',
      '| opened headphones | can not be returned |',
    ]);
  });

  it('reads full-width brackets, and Chinese numbers against digits', async () => {
    const question = '退货期限是多少天？';
    const { text, checks, cited } = await ask(
      'mark',
      (n) => [`收到商品后三十天内可以退货【${n}】。`, `收到商品后九十天内可以退货［${n}］。`],
      question,
    );
    expect(text).toBe('收到商品后三十天内可以退货。收到商品后九十天内可以退货。');
    expect(cited).toHaveLength(2);
    expect(checks.map(({ verdict }) => verdict)).toEqual(['supported', 'unsupported']);
    expect(checks[1]?.reasons[0]?.reason).toBe('number');
  });

  it('reaches the client sentence by sentence under “withhold”, and at once otherwise', async () => {
    for (const policy of ['mark', 'withhold'] as const) {
      let goOn: () => void = () => undefined;
      const wait = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      model.respond({ steps: ['Half a sent', { wait }, 'ence.'] });
      const shown: string[] = [];
      const frames = await askOverSocket(running.url, { knowledgeBase: policy, text: QUESTION }, (frame) => {
        if (frame.type === 'text-delta') shown.push(frame.text);
        // Under "mark" the half sentence is what lets the model go on: without it the test would never end.
        if (frame.type === (policy === 'mark' ? 'text-delta' : 'sources-found')) goOn();
      });
      expect(frames.at(-1)).toMatchObject({ type: 'answer-completed' });
      if (policy === 'mark') expect(shown[0]).toBe('Half a sent');
      else expect(shown.join('')).not.toMatch(/^Half a sent$/);
    }
  });
});
