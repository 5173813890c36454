import { describe, expect, it } from 'vitest';
import { createExtractiveAnswerer } from '../../src/answer/extractive-answerer.js';
import type { Source } from '../../src/frames.js';
import { createGrounding } from '../../src/ground/citation-grounding.js';
import { detectLanguage } from '../../src/language.js';
import { createAnalyzer } from '../../src/retrieve/analyzer.js';
import { sampleKnowledgeBase } from '../support/sample-knowledge-base.js';
import { sampleSource } from '../support/sample-source.js';

const analyzer = createAnalyzer();
const answerer = createExtractiveAnswerer({ analyzer });
const ground = createGrounding({ analyzer });

const RETURNS = sampleSource(
  1,
  'You may return an unused item within **30 days** of delivery. Gold members have 45 days. ' +
    'Opening the box is fine. The brown carton may be missing.\n\n' +
    'Orders placed in December may be returned until 31 January.',
  { title: 'Returns and refunds', headings: ['How long you have to return an item'] },
);
const STEPS = sampleSource(
  2,
  'Choose the way that suits you.\n\n1. Open **My orders**.\n2. Tap **Request a return**.\n3. Wait for approval. It takes a day.\n\nThe code is valid for 10 days.',
  { title: 'Returns and refunds', headings: ['How to send something back'] },
);
const DELIVERY = sampleSource(
  3,
  '| Method | Fee | Time |\n| --- | --- | --- |\n| Standard | ¥8 | 2–4 days |\n| Next-day express | ¥18 | next day |\n| Same-day | ¥25 | by 21:00 |',
  { title: 'Shipping', headings: ['Methods and fees'] },
);
const FAQ = sampleSource(4, 'No, one coupon per order. Points can be added on top.', {
  title: 'faq',
  headings: ['Can I use two promo codes together?'],
});
const CHINESE = sampleSource(
  5,
  '未使用的商品，签收后 **30 天**内可以退货。金壶会员为 45 天。清仓商品不能退。',
  {
    title: '退货与退款',
    headings: ['退货期限'],
  },
);

async function ask(text: string, sources: readonly Source[], options: { config?: object } = {}) {
  const deltas: string[] = [];
  for await (const event of answerer.answer(
    {
      messageId: 'm',
      owner: 'local',
      question: { text, standalone: text, language: detectLanguage(text) },
      sources: sources.map((source, index) => ({ ...source, n: index + 1 })),
      turns: [],
      knowledgeBase: sampleKnowledgeBase(options.config),
      images: [],
    },
    { signal: new AbortController().signal },
  )) {
    if (event.type === 'text') deltas.push(event.text);
  }
  return { deltas, text: deltas.join('') };
}

describe('an answer made of quotes', () => {
  it('says in a lead-in where it is from, then quotes what answers the question, each with its number', async () => {
    const { text } = await ask('How many days do I have to return an item?', [RETURNS, DELIVERY]);
    expect(text).toBe(
      'Here is what “Returns and refunds” says:\n\n' +
        'You may return an unused item within **30 days** of delivery.[1] Gold members have 45 days.[1]',
    );
  });

  it('comes in several pieces, so that it can be seen streaming', async () => {
    const { deltas } = await ask('How many days do I have to return an item?', [RETURNS]);
    expect(deltas.length).toBeGreaterThanOrEqual(3);
  });

  it('quotes a list of steps whole where steps are asked for', async () => {
    const { text } = await ask('How do I request a return?', [STEPS]);
    expect(text).toContain(
      '1. Open **My orders**.[1]\n2. Tap **Request a return**.[1]\n3. Wait for approval. It takes a day.[1]',
    );
  });

  it('quotes the one row of a table that is meant, as a readable line', async () => {
    const { text } = await ask('What does next-day express cost?', [DELIVERY]);
    expect(text).toContain('- **Next-day express** — Fee: ¥18; Time: next day[1]');
    expect(text).not.toContain('Standard');
  });

  it('quotes the whole table where the words do not tell which row is meant', async () => {
    const { text } = await ask('What are the fees for shipping a big box to a distant village?', [DELIVERY]);
    expect(text.match(/^- /gm)).toHaveLength(3);
  });

  it('quotes a curated answer whole and without a lead-in where the same was asked', async () => {
    const { text } = await ask('Can I use two promo codes at once together?', [RETURNS, FAQ]);
    expect(text).toBe('No, one coupon per order.[2] Points can be added on top.[2]');
  });

  it('does not take a curated answer to another question for one', async () => {
    const { text } = await ask('How many days do I have to return an item?', [
      RETURNS,
      { ...FAQ, headings: ['What happens to my points if I return something?'] },
    ]);
    expect(text).toContain('30 days');
    expect(text).not.toContain('coupon');
  });

  it('is in the language of the question where the sources allow it', async () => {
    expect((await ask('退货有几天期限？', [RETURNS, CHINESE])).text).toBe(
      '《退货与退款》里是这样写的：\n\n未使用的商品，签收后 **30 天**内可以退货。[2]金壶会员为 45 天。[2]',
    );
    expect((await ask('How many days to return an item?', [CHINESE, RETURNS])).text).not.toMatch(
      /\p{Script=Han}/u,
    );
  });

  it('says so where there are only sources in the other language', async () => {
    const { text } = await ask('退货有几天期限？', [RETURNS]);
    expect(text).toMatch(/^我只找到英文资料，原文如下：\n\n.*30 days/s);
  });

  it('does not take a footnote of a passage for a citation', async () => {
    const source = sampleSource(1, 'The fee [2] is ¥5 since 2020 [12].');
    expect((await ask('What is the fee?', [source, RETURNS])).text).toContain(
      'The fee (2) is ¥5 since 2020 (12).[1]',
    );
  });

  it('quotes something even where no word fits', async () => {
    const { text } = await ask('Quux?', [RETURNS]);
    expect(text).toMatch(/\[1\]$/);
  });

  it.each([
    ['How many days do I have to return an item?', [RETURNS, STEPS, DELIVERY]],
    ['How do I request a return?', [RETURNS, STEPS]],
    ['What does next-day express cost?', [DELIVERY, RETURNS]],
    ['Can I use two promo codes together?', [FAQ]],
    ['退货有几天期限？', [CHINESE]],
  ])('never says what no passage says: “%s”', async (question, sources) => {
    const numbered = sources.map((source, index) => ({ ...source, n: index + 1 }));
    const { deltas } = await ask(question, sources);
    const grounding = ground(numbered);
    const frames = [...deltas.flatMap((delta) => grounding.push(delta)), ...grounding.finish()];
    const checks = frames.filter((frame) => frame.type === 'grounding-checked');
    expect(checks.length).toBeGreaterThan(0);
    for (const check of checks) expect(check).toMatchObject({ verdict: 'supported' });
    expect(grounding.citations.length).toBeGreaterThan(0);
    expect(grounding.inventedCitations).toBe(0);
  });

  it('ends when it is stopped', async () => {
    const stop = new AbortController();
    const events = answerer
      .answer(
        {
          messageId: 'm',
          owner: 'local',
          question: { text: 'How long?', standalone: 'How long?', language: 'en' },
          sources: [RETURNS],
          turns: [],
          knowledgeBase: sampleKnowledgeBase(),
          images: [],
        },
        { signal: stop.signal },
      )
      [Symbol.asyncIterator]();
    await events.next();
    stop.abort();
    await expect(events.next()).rejects.toMatchObject({ code: 'stopped' });
  });
});
