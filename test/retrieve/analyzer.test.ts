import { expect, test } from 'vitest';
import { createAnalyzer, type Lexicon } from '../../src/retrieve/analyzer.js';

const analyzer = createAnalyzer();
const PLAIN: Lexicon = { dictionary: [], synonyms: [] };

/** Terms that a passage and a question have in common. */
function shared(passage: string, question: string, lexicon: Lexicon = PLAIN): string[] {
  const terms = new Set(analyzer.analyze(passage, lexicon));
  return analyzer.analyzeQuestion(question, lexicon).filter((term) => terms.has(term));
}

test('finds every two-character stretch of a Chinese passage, however the segmenter cuts it', () => {
  const passage = '因质量问题退货运费由我们承担，研究生命起源，手机碎屏险能耗标准';
  for (const run of passage.split('，')) {
    for (let start = 0; start + 2 <= run.length; start += 1) {
      const pair = run.slice(start, start + 2);
      if (!['我们', '因质'].includes(pair)) expect(shared(passage, pair), pair).toContain(pair);
    }
  }
});

test('finds an unknown two-character word inside a longer question', () => {
  expect(shared('碎屏险一年内有效', '我的手机碎屏了怎么办')).toContain('碎屏');
});

test('matches traditional with simplified characters and full-width with half-width forms', () => {
  expect(shared('电脑维修需要发票', '電腦維修需要發票嗎？')).toEqual(
    expect.arrayContaining(['电脑', '发票']),
  );
  expect(shared('error E07', 'Ｅ０７')).toEqual(['e07']);
});

test('stems English and folds accents and case', () => {
  expect(shared('Returns and refunds at the café', 'returning refunded CAFE')).toEqual([
    'return',
    'refund',
    'cafe',
  ]);
});

test.each([
  ['E07', 'E-07', 'e07'],
  ['ISO-9001', 'iso9001', 'iso9001'],
  ['firmware v2.1', 'V2.1', 'v2.1'],
  ['a 3.5mm jack', '3.5 mm', '3.5'],
  ['call 400-820-8820', '4008208820', '4008208820'],
  ['1,000 yuan', '1000', '1000'],
  ['满1000元', '1,000', '1000'],
  ['C++ and C#', 'c#', 'c#'],
])('keeps numbers and codes whole: %s is found by %s', (passage, question, term) => {
  expect(shared(passage, question)).toContain(term);
});

test.each([
  ['The Wi-Fi password', 'wifi', 'wifi'],
  ['by e-mail', 'Emails', 'email'],
  ['The Wi\u2011Fi password', 'wifi', 'wifi'],
  ['pre-orders ship first', 'my preorder', 'preorder'],
])('finds a word with a hyphen by the same word without: %s by %s', (passage, question, term) => {
  expect(shared(passage, question)).toEqual([term]);
});

test('does not ask for more of a hyphenated word than its parts', () => {
  expect(analyzer.analyzeQuestion('next-day delivery', PLAIN)).toEqual(
    analyzer.analyzeQuestion('next day delivery', PLAIN),
  );
});

test('does not take v2.1 for v2.10 or E07 for E08', () => {
  expect(shared('firmware v2.10, error E08', 'v2.1 E07')).toEqual([]);
});

test('gives dictionary words as terms of their own, at the edges of an unknown word too', () => {
  const lexicon = { dictionary: ['壶里居', '七天无理由'], synonyms: [] };
  expect(analyzer.analyze('欢迎来到壶里居，七天无理由退货', lexicon)).toEqual(
    expect.arrayContaining(['壶里居', '七天无理由']),
  );
  expect(analyzer.analyze('欢迎来到壶里居', PLAIN)).not.toContain('壶里居');
});

test('lets the words of a synonym group find each other across languages and phrases', () => {
  const lexicon = { dictionary: [], synonyms: [['退货', '退換貨', 'send back', 'returns']] };
  const group = shared('退货须知', 'How do I return it?', lexicon);
  expect(group).toHaveLength(1);
  expect(shared('You may send it back or send back the parts', '退换货', lexicon)).toEqual(group);
  expect(shared('退货须知', 'How do I get back home?', lexicon)).toEqual([]);
});

test('does not see a synonym where its characters only happen to meet', () => {
  const lexicon = {
    dictionary: [],
    synonyms: [
      ['售后', 'warranty'],
      ['券', 'coupon'],
    ],
  };
  expect(shared('销售后台的说明', 'warranty', lexicon)).toEqual([]);
  expect(shared('证券公司', 'coupon', lexicon)).toEqual([]);
  expect(shared('售后服务', 'warranty', lexicon)).toHaveLength(1);
  expect(shared('满减券', 'coupon', lexicon)).toHaveLength(1);
});

test('leaves stop words out, unless there is nothing else', () => {
  expect(analyzer.analyzeQuestion('What is the price of it?', PLAIN)).toEqual(['price']);
  expect(analyzer.analyzeQuestion('怎么办', PLAIN)).toContain('怎么办');
});

test('lets the words inside a long word share what it counts', () => {
  const weights = analyzer.weighQuestion('维多利亚州铁路线的轨距', PLAIN);
  expect(weights.get('维多利亚州')).toBe(1);
  expect(weights.get('轨距')).toBe(1);
  expect(weights.get('铁路线')).toBe(1);
  expect(weights.get('铁路')).toBe(1 / 2);
  const parts = [...weights].filter(([term]) => '维多利亚州'.includes(term) && term !== '维多利亚州');
  expect(parts.length).toBeGreaterThan(3);
  expect(parts.reduce((sum, [, weight]) => sum + weight, 0)).toBeCloseTo(1);
});

test('counts a word in full that is also said by itself', () => {
  expect(analyzer.weighQuestion('铁路线和铁路', PLAIN).get('铁路')).toBe(1);
});

test('keeps repeats in a passage and drops them in a question', () => {
  expect(analyzer.analyze('kettle kettle', PLAIN)).toEqual(['kettl', 'kettl']);
  expect(analyzer.analyzeQuestion('kettle kettle', PLAIN)).toEqual(['kettl']);
});

test.each(['', ' \n\t', '!!! 。。。', '\u0000\u200b', '😀👍🏽', '\ud800'])(
  'gives no terms for %j',
  (text) => {
    expect(analyzer.analyze(text, PLAIN)).toEqual([]);
    expect(analyzer.analyzeQuestion(text, PLAIN)).toEqual([]);
  },
);

test('takes text in other scripts and rare Han characters as it comes', () => {
  const terms = shared('Привет мир, 안녕 세계 𠮷野家', 'мир 세계 𠮷野');
  expect(terms).toEqual(expect.arrayContaining(['мир', '세계', '𠮷野']));
});
