import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Source } from '../../src/frames.js';
import { createGrounding } from '../../src/ground/citation-grounding.js';
import type { GroundingFrame } from '../../src/ground/grounding.js';
import { createAnalyzer } from '../../src/retrieve/analyzer.js';
import { sampleSource } from '../support/sample-source.js';

const ground = createGrounding({ analyzer: createAnalyzer() });

const RETURNS =
  'You may return an unused item within 30 days of delivery. Gold members have 45 days. ' +
  'A restocking fee of 10 % applies to used appliances, at most ¥200.';
const DELIVERY =
  '| Method | Fee |\n| --- | --- |\n| Standard | ¥8 |\n| Next day | ¥18 |\n\nParcels leave Hangzhou before 18:00.';
const CHINESE = '标准配送 8 元，满 99 元包邮。新疆、西藏每单加收 15 元，不支持次日达。';
const SOURCES = [
  sampleSource(1, RETURNS),
  sampleSource(2, DELIVERY, { title: 'Delivery', headings: ['Methods and fees'] }),
  sampleSource(3, CHINESE),
];

function follow(deltas: readonly string[], sources: readonly Source[] = SOURCES) {
  const grounding = ground(sources);
  const frames: GroundingFrame[] = [];
  for (const delta of deltas) frames.push(...grounding.push(delta));
  frames.push(...grounding.finish());
  const sent = frames.map((frame) => (frame.type === 'text-delta' ? frame.text : '')).join('');
  expect(sent).toBe(grounding.text);
  return {
    frames,
    text: grounding.text,
    invented: grounding.inventedCitations,
    citations: grounding.citations.map(({ n, span, quote }) => ({
      n,
      words: grounding.text.slice(...span),
      quote,
    })),
    checks: frames
      .filter((frame) => frame.type === 'grounding-checked')
      .map(({ span, verdict, citations, score }) => ({
        words: grounding.text.slice(...span),
        verdict,
        citations,
        score,
      })),
  };
}

const words = (text: string): string[] =>
  follow([text]).citations.map(({ n, words: cited }) => `${n}: ${cited}`);

describe('citation markers', () => {
  it.each([
    ['within 30 days [1].', 'within 30 days.', [1]],
    ['within 30 days. [1]', 'within 30 days.', [1]],
    ['within 30 days.[1] Gold members', 'within 30 days. Gold members', [1]],
    ['within 30 days [1][2].', 'within 30 days.', [1, 2]],
    ['within 30 days [1, 2].', 'within 30 days.', [1, 2]],
    ['within 30 days [1-3].', 'within 30 days.', [1, 2, 3]],
    ['within 30 days [1–3].', 'within 30 days.', [1, 2, 3]],
    ['within 30 days [^1].', 'within 30 days.', [1]],
    ['within 30 days [Source 1].', 'within 30 days.', [1]],
    ['within 30 days ([1]).', 'within 30 days.', [1]],
    ['30 天内可退【1】。', '30 天内可退。', [1]],
    ['30 天内可退［１］。', '30 天内可退。', [1]],
    ['30 天内可退[1、2]。', '30 天内可退。', [1, 2]],
    ['30 天内可退【1†source】。', '30 天内可退。', [1]],
    ['30 天内可退[来源1]。', '30 天内可退。', [1]],
    ['a fee [1] of 10 %', 'a fee of 10 %', [1]],
    ['- 30 days [1]\n- 45 days [2]', '- 30 days\n- 45 days', [1, 2]],
    ['| a [1] | b |', '| a | b |', [1]],
    ['30 days [1]\n\n45 days', '30 days\n\n45 days', [1]],
    ['30 days.\n[1]\n\n45 days', '30 days.\n\n45 days', [1]],
  ])('are taken out of “%s”', (answer, text, numbers) => {
    const followed = follow([answer]);
    expect(followed.text).toBe(text);
    expect(followed.citations.map(({ n }) => n)).toEqual(numbers);
    expect(followed.invented).toBe(0);
  });

  it.each([
    'See [the manual](https://example.org/1).',
    'See [1](https://example.org/1).',
    'Press `[1]` now.',
    'Press ``a`[1]`` now.',
    '```js\nlist[1]\n```',
    '```\n[1]',
    '~~~\n[1]\n~~~',
    'In [2024] it was so.',
    'An [unfinished',
    'An [',
    'a [x] b',
    '- [ ] to do',
    '[s',
    '[1',
    'a\n\n(b) ~ c',
    '价格【注意】很低',
  ])('are not seen in “%s”', (answer) => {
    const followed = follow([answer]);
    expect(followed.text).toBe(answer.trimEnd());
    expect(followed.citations).toEqual([]);
    expect(followed.invented).toBe(0);
  });

  it('are seen again after code', () => {
    expect(
      follow(['```\n[1]\n```\nwithin 30 days [1], not `[2]` but [2].']).citations.map(({ n }) => n),
    ).toEqual([1, 2]);
  });

  it('that name no source are removed and counted', () => {
    const { text, citations, invented } = follow(['within 30 days [7]. Gold members have 45 days [1][9].']);
    expect(text).toBe('within 30 days. Gold members have 45 days.');
    expect(citations.map(({ n }) => n)).toEqual([1]);
    expect(invented).toBe(2);
  });

  it('hold back no more than what may still become a marker', () => {
    const grounding = ground(SOURCES);
    const said = (text: string): string =>
      grounding
        .push(text)
        .map((frame) => (frame.type === 'text-delta' ? frame.text : `<${frame.type}>`))
        .join('');
    expect(said('30 days')).toBe('30 days');
    expect(said(' [')).toBe('');
    expect(said('1')).toBe('');
    expect(said(']')).toBe('');
    expect(said('.')).toBe('<citation-added>.');
    expect(said(' [n')).toBe(' <grounding-checked>[n');
    expect(said('o] [')).toBe('o]');
  });

  it('never cut an emoji in two', () => {
    const grounding = ground(SOURCES);
    const [high, low] = ['\ud83d', '\ude00'];
    expect(grounding.push(`ok ${high}`)).toEqual([{ type: 'text-delta', text: 'ok ' }]);
    expect(grounding.push(low)).toEqual([{ type: 'text-delta', text: '😀' }]);
  });
});

describe('a citation', () => {
  it('spans the sentence its marker closes, before or after the stop', () => {
    expect(words('You may return it within 30 days [1]. Gold members have 45 days. [1] Bye.')).toEqual([
      '1: You may return it within 30 days',
      '1: Gold members have 45 days.',
    ]);
  });

  it('spans the clause where a sentence has several', () => {
    expect(words('Standard costs ¥8 [2] and returns are possible for 30 days [1].')).toEqual([
      '2: Standard costs ¥8',
      '1: and returns are possible for 30 days',
    ]);
  });

  it('belongs to the text behind it where it opens a line, and to the line above where it stands alone', () => {
    expect(words('- [1] 30 days\n- [2] Next day costs ¥18')).toEqual(['1: 30 days', '2: Next day costs ¥18']);
    expect(words('[1] 30 days for all.\n[2] Next day costs ¥18.')).toEqual([
      '1: 30 days for all.',
      '2: Next day costs ¥18.',
    ]);
    expect(words('You may return it within 30 days.\n[1]\n\nNext day costs ¥18.\n[2]')).toEqual([
      '1: You may return it within 30 days.',
      '2: Next day costs ¥18.',
    ]);
  });

  it('quotes the sentence or table row of the passage that says it, word for word', () => {
    const { citations } = follow([
      'Gold members have 45 days [1]. Next-day delivery is ¥18 [2]. 新疆每单加收 15 元[3]。 There is a 10 % fee [1].',
    ]);
    expect(citations.map(({ quote }) => quote)).toEqual([
      'Gold members have 45 days.',
      '| Next day | ¥18 |',
      '新疆、西藏每单加收 15 元，不支持次日达。',
      'A restocking fee of 10 % applies to used appliances, at most ¥200.',
    ]);
    for (const { n, quote } of citations) expect(SOURCES[n - 1]?.text).toContain(quote);
  });

  it('quotes something even where the answer is in another language', () => {
    const [citation] = follow(['新疆加收运费 [1]。']).citations;
    expect(RETURNS).toContain(citation?.quote);
    expect(citation?.quote).not.toBe('');
  });
});

describe('a finished sentence is checked', () => {
  const check = (answer: string) => follow([answer]).checks[0];

  it.each([
    'Gold members have 45 days [1].',
    'You can return an unused item within 30 days of delivery [1].',
    'You can return an unused item within thirty days of delivery [1].',
    'Next-day delivery costs ¥18 [2].',
    'Parcels leave Hangzhou before 6 pm [2].',
    '新疆和西藏每单加收 15 元[3]。',
    '满九十九元包邮[3]。',
    '新疆、西藏不支持次日达[3]。',
  ])('“%s” is supported', (answer) => {
    expect(check(answer)).toMatchObject({ verdict: 'supported' });
  });

  it('is supported in words of the same root', () => {
    const parcels = 'You have 30 days from the day the parcel was delivered. Opened filters are excluded.';
    const source = sampleSource(1, parcels, { title: 'Returns', headings: [] });
    const [returned, other] = follow(
      ['You can return it within 30 days of delivery [1]. A deliberate choice of colours is possible [1].'],
      [source],
    ).checks;
    expect(returned).toMatchObject({ verdict: 'supported' });
    expect(other?.verdict).toBe('unsupported');
  });

  it.each([
    ['another number', 'Gold members have 54 days [1].'],
    ['another unit', 'Gold members have 45 hours [1].'],
    ['another currency', 'Next-day delivery costs $18 [2].'],
    ['another name', 'Parcels leave Shanghai before 18:00, as Hangzhou does [2].'],
    ['another time', 'Parcels leave Hangzhou before 19:00 [2].'],
    ['a code nobody wrote', 'Gold members have 45 days, see E07 [1].'],
    ['a "not" that is not there', 'Gold members do not have 45 days [1].'],
    ['a missing "not"', '新疆、西藏支持次日达[3]。'],
    ['another subject', 'The warranty covers rust on frying pans [1].'],
    ['another number in Chinese', '新疆、西藏每单加收 25 元[3]。'],
    ['another number in another language', '金牌会员有 54 天[1]。'],
  ])('and flagged for %s: “%s”', (_, answer) => {
    expect(check(answer)?.verdict).not.toBe('supported');
  });

  it('sentence by sentence in a list item, each against the sentence of the passage that says the same', () => {
    const item = (days: string, goldDays: string): string =>
      `- You may return an unused item within ${days} of delivery. Gold members have ${goldDays} [1]`;
    expect(check(item('30 days', '45 days'))).toMatchObject({ verdict: 'supported' });
    expect(check(item('45 days', '30 days'))).toMatchObject({ verdict: 'unsupported' });
    expect(check(item('30 days', '30 days'))).toMatchObject({ verdict: 'unsupported' });
  });

  it.each([
    [
      'You may return an unused item within {} of delivery, and gold members have {} [1].',
      '30 days',
      '45 days',
    ],
    [
      'Gold members have {} and unused items may be returned within {} of delivery [1].',
      '45 days',
      '30 days',
    ],
  ])('clause by clause where it says two sentences of the passage in one: “%s”', (answer, first, second) => {
    const say = (...numbers: string[]): string =>
      numbers.reduce((text, number) => text.replace('{}', number), answer);
    expect(check(say(first, second))).toMatchObject({ verdict: 'supported' });
    expect(check(say(second, first))).toMatchObject({ verdict: 'unsupported' });
    expect(check(say(first, first))).toMatchObject({ verdict: 'unsupported' });
  });

  it.each([
    ['she moved to Oslo in spring, and in 1972, she learned to sail [1].', 'supported'],
    ['she moved to Oslo in spring, and in 1981, she learned to sail [1].', 'unsupported'],
    ['she learned to sail (1972), and she opened the harbour school in June [1].', 'supported'],
    ['she learned to sail (1981), and she opened the harbour school in June [1].', 'unsupported'],
  ])('with a date alone as part of the clause that it stands by: “%s”', (answer, verdict) => {
    const life =
      'Anna moved to Oslo in the spring. In 1972 she learned to sail. She opened the harbour school in June 1981.';
    const source = sampleSource(1, life, { title: 'Anna', headings: [] });
    expect(follow([answer], [source]).checks[0]).toMatchObject({ verdict });
  });

  it.each([
    ['Gold members have 45 days [1], and next-day delivery costs ¥18 [2].', 'supported'],
    ['Gold members have 45 days [2], and next-day delivery costs ¥18 [1].', 'weak'],
    ['Gold members have 45 days [1][2], and next-day delivery costs ¥18 [1][2].', 'supported'],
    ['满 99 元包邮[3]，金牌会员有 45 天[1]。', 'supported'],
  ])('with each of its markers on its own clause: “%s”', (answer, verdict) => {
    expect(check(answer)).toMatchObject({ verdict });
  });

  it('and flagged where it cites the wrong passage', () => {
    expect(check('Gold members have 45 days [2].')?.verdict).toBe('unsupported');
  });

  it('and flagged where it states something and cites nothing, weaker where a passage says it', () => {
    expect(check('Gold members have 45 days.')).toMatchObject({ verdict: 'weak', citations: [] });
    expect(check('The warehouse is closed on Mondays.')).toMatchObject({ verdict: 'unsupported' });
  });

  it.each([
    '# Returns of items within days',
    'Here is what the shop says about returns:',
    'Would you like to know how returns work?',
    'Hello, I am happy to help with your returns.',
    "I don't know what the shop says about repairs.",
    '资料里没有关于维修的内容，我不知道。',
    '您好，很高兴为您解答退货问题。',
    '```\nreturn item within 30 days\n```',
    'OK.',
  ])('but not “%s”, which states nothing', (answer) => {
    expect(follow([answer]).checks).toEqual([]);
  });

  it('as soon as the next one begins, and in order', () => {
    const grounding = ground(SOURCES);
    expect(grounding.push('Gold members have 45 days [1].').map(({ type }) => type)).toEqual([
      'text-delta',
      'citation-added',
      'text-delta',
    ]);
    expect(grounding.push(' S').map(({ type }) => type)).toEqual([
      'text-delta',
      'grounding-checked',
      'text-delta',
    ]);
  });

  it('a list item as a whole, as a marker at its end speaks for all of it', () => {
    expect(
      follow(['- You have 30 days. Gold members have 45 days [1]\n- Next day costs ¥18 [2]']).checks,
    ).toMatchObject([
      { words: '- You have 30 days. Gold members have 45 days', citations: [1] },
      { citations: [2] },
    ]);
    expect(follow(['- You have 30 days. Gold members have 45 days [1]']).checks).toHaveLength(1);
  });

  it('with the citations of its own only', () => {
    expect(
      follow(['Gold members have 45 days [1]. Next day costs ¥18 [2]. 满 99 元包邮[3]。']).checks.map(
        ({ citations }) => citations,
      ),
    ).toEqual([[1], [2], [3]]);
  });
});

describe('the same answer', () => {
  const pieces = fc.constantFrom(
    ...[
      '[1]',
      '[2',
      ']',
      '[',
      '】',
      '【3】',
      '［１］',
      '(',
      ')',
      '`',
      '```',
      '~~~',
      '\n',
      '\n\n',
      ' ',
      '- ',
      '| ',
      '.',
      '。',
      '[^1]',
    ],
    ...[
      '[1-3]',
      '[1, 9]',
      '[1](x)',
      'Gold members have 45 days',
      'e.g. this',
      '3.5 kg',
      '新疆加收 15 元',
      '😀',
      '“',
      '”',
      'a',
      '？',
      '1. ',
    ],
  );
  const answers = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''));

  it('gives the same text, citations and checks however it is cut', () => {
    fc.assert(
      fc.property(answers, fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 20 }), (answer, cuts) => {
        const deltas: string[] = [];
        for (let at = 0, turn = 0; at < answer.length; turn += 1) {
          const length = (cuts[turn % cuts.length] ?? 0) + 1;
          deltas.push(answer.slice(at, at + length));
          at += length;
        }
        const whole = follow([answer]);
        const cut = follow(deltas);
        expect({ ...cut, frames: [] }).toEqual({ ...whole, frames: [] });
      }),
      { numRuns: 500 },
    );
  });

  it('never has a citation outside its text, nor a quote outside its passage', () => {
    fc.assert(
      fc.property(answers, (answer) => {
        const grounding = ground(SOURCES);
        const frames = [...grounding.push(answer), ...grounding.finish()];
        let sent = '';
        for (const frame of frames) {
          if (frame.type === 'text-delta') {
            expect(frame.text).not.toBe('');
            sent += frame.text;
          } else {
            expect(frame.span[0]).toBeLessThanOrEqual(frame.span[1]);
            expect(frame.span[1]).toBeLessThanOrEqual(sent.length);
          }
          if (frame.type === 'citation-added') expect(SOURCES[frame.n - 1]?.text).toContain(frame.quote);
        }
        expect(sent).toBe(grounding.text);
      }),
      { numRuns: 500 },
    );
  });

  it('may be without end and without a stop', () => {
    const grounding = ground(SOURCES);
    for (let turn = 0; turn < 200; turn += 1) grounding.push('words without any stop '.repeat(5));
    grounding.finish();
    expect(grounding.text.length).toBeGreaterThan(20_000);
  });

  it('survives lone brackets, quotes and halves of characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (answer) => {
        follow([answer]);
      }),
      { numRuns: 200 },
    );
  });
});
