import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Trace } from '../../src/store/trace-store.js';
import { SAMPLE_KNOWLEDGE, startTestApp, type TestApp } from '../support/app.js';
import { askOverSocket } from '../support/ask-over-socket.js';
import { type ModelReply, type ModelServer, startModelServer } from '../support/model-server.js';

const QUESTION = 'How many days do I have to return an item?';
const RIGHT = 'You have 30 days to return an item';
/** Said in other words than the passage has: by its words alone it is neither right nor wrong. */
const WEAK = 'Buyers return an item within a month of delivery';
const RETURNS = SAMPLE_KNOWLEDGE['shop/en/returns.md'] ?? '';

describe('a sentence that is weak by words and numbers', () => {
  let model: ModelServer;
  let running: TestApp;
  beforeAll(async () => {
    model = await startModelServer();
    const policies = ['mark', 'withhold', 'show'];
    running = await startTestApp({
      env: { OPENAI_BASE_URL: model.url, OPENAI_API_KEY: 'any', CHAT_MODEL: 'scripted' },
      knowledge: Object.fromEntries(
        [...policies, 'signals'].flatMap((name) => [
          [
            `${name}/kb.yaml`,
            name === 'signals'
              ? 'title: {en: Shop}\n'
              : `title: {en: Shop}\ngrounding: ${name}\ngroundingJudge: model\n`,
          ],
          [`${name}/en/returns.md`, RETURNS],
        ]),
      ),
    });
  });
  afterAll(async () => {
    await running.close();
    await model.close();
  });

  /** The answer cites the passage that has the 30 days; the judge says what it is told to. */
  async function ask(knowledgeBase: string, write: (n: string) => string[], verdict: ModelReply) {
    const asked: string[] = [];
    model.respond((request) => {
      const prompt = request.body.messages.map(({ content }) => content).join('\n');
      const [, sentence] = /<sentence key="[^"]+">\n(.*)\n<\/sentence/.exec(prompt) ?? [];
      if (sentence !== undefined) {
        asked.push(sentence);
        return verdict;
      }
      const passages = [...prompt.matchAll(/<passage n="(\d+)"(.*?)<\/passage/gs)];
      return { steps: write(passages.find(([, , text]) => text?.includes('You have 30 days'))?.[1] ?? '0') };
    });
    const frames = await askOverSocket(running.url, { knowledgeBase, text: QUESTION });
    const final = frames.at(-1);
    if (final?.type !== 'answer-completed') throw new Error(JSON.stringify(final));
    const reply = await fetch(`${running.url}/v1/messages/${final.messageId}/trace`);
    return {
      asked,
      final,
      checks: frames
        .filter((frame) => frame.type === 'grounding-checked')
        .map(({ span, verdict, reasons }) => [final.text.slice(...span), verdict, reasons]),
      trace: (await reply.json()) as Trace,
    };
  }
  const both = (n: string) => [`${WEAK} [${n}]. ${RIGHT} [${n}].`];

  it('stays weak where nobody is asked, which is the default', async () => {
    const { asked, checks, trace } = await ask('signals', both, { steps: ['SUPPORTED'] });
    expect(checks.map(([, verdict]) => verdict)).toEqual(['weak', 'supported']);
    expect(asked).toEqual([]);
    expect(trace.judgements).toBeUndefined();
  });

  it('gets the verdict of the chat model, which is told in the trace; the others are not asked about', async () => {
    const { asked, checks, trace, final } = await ask('mark', both, { steps: ['SUPPORT', 'ED.'] });
    expect(asked).toEqual([`${WEAK}.`]);
    expect(checks).toEqual([
      [`${WEAK}.`, 'supported', []],
      [`${RIGHT}.`, 'supported', []],
    ]);
    expect(trace.judgements).toEqual([
      { sentence: `${WEAK}.`, verdict: 'supported', ms: expect.any(Number) },
    ]);
    expect(final.degraded).toEqual([]);
  });

  it('never goes out where the model finds it unsupported and such sentences are withheld', async () => {
    const { final, checks } = await ask('withhold', both, { steps: ['UNSUPPORTED'] });
    expect(final.text).toBe(`${RIGHT}.`);
    expect(checks.map(([text, verdict]) => [text, verdict])).toEqual([
      ['', 'unsupported'],
      [`${RIGHT}.`, 'supported'],
    ]);
  });

  it.each([
    ['is not sure', { steps: ['UNSURE'] }, []],
    ['chats instead', { steps: ['Well, it depends.'] }, []],
    ['fails', { status: 500 }, ['judge']],
  ] as const)('stays weak where the model %s', async (_, verdict, degraded) => {
    const { final, checks, trace } = await ask('mark', both, verdict);
    expect(checks[0]).toEqual([`${WEAK}.`, 'weak', expect.anything()]);
    expect(trace.judgements).toMatchObject([{ verdict: 'weak' }]);
    expect(final.degraded).toEqual(degraded);
  });

  it('is asked about only so often in one answer', async () => {
    const many = (n: string) => Array.from({ length: 9 }, () => `${WEAK} [${n}]. `);
    const { asked, checks } = await ask('mark', many, { steps: ['SUPPORTED'] });
    expect(asked).toHaveLength(6);
    expect(checks.map(([, verdict]) => verdict)).toEqual([
      ...Array.from({ length: 6 }, () => 'supported'),
      ...Array.from({ length: 3 }, () => 'weak'),
    ]);
  });

  it('is not asked about where nobody hears of verdicts', async () => {
    expect((await ask('show', both, { steps: ['SUPPORTED'] })).asked).toEqual([]);
  });
});
