import { describe, expect, it } from 'vitest';
import { correctSounds } from '../../src/question/sound-slips.js';
import { correctSpelling } from '../../src/question/spelling-slips.js';
import { collectVocabulary } from '../../src/question/vocabulary.js';

const vocabulary = collectVocabulary(
  [
    {
      title: 'Returns',
      headings: ['Warranty'],
      text: 'You may return an item within 30 days. The warranty covers batteries and the frying pan. Refunds are quick.',
      language: 'en',
    },
    {
      title: '退货与退款',
      headings: [],
      text: '签收后可以退货，运费自理。发票和保修期请看会员中心。',
      language: 'zh',
    },
  ],
  { dictionary: ['壶里居'], synonyms: [['退货', 'return']] },
);

const withHas = collectVocabulary(
  [{ title: '', headings: [], text: 'It has said what it says.', language: 'en' }],
  { dictionary: [], synonyms: [] },
);

describe('an English slip', () => {
  it.each([
    ['How long is the warrenty?', 'How long is the warranty?'],
    ['how do I retrun this', 'how do I return this'],
    ['Warantty of the fryingg pan', 'Warranty of the frying pan'],
    ['Are baterries covred?', 'Are batteries covred?'],
  ])('“%s” → “%s”', (written, meant) => {
    expect(correctSpelling(written, vocabulary)).toBe(meant);
  });

  it.each([
    'Do you sell pants?',
    'Is the E07 waranty code known?'.replace('waranty', 'warranty'),
    'My RETRUN code',
    'What about Nintendo?',
    'Send it to retrun@example.com',
    'Which days?',
    "It hasn't come",
    'It hasn’t come',
    'What is saas?',
  ])('“%s” is left alone: its words are known, or no slips of ours', (written) => {
    expect(correctSpelling(written, vocabulary)).toBe(written);
    expect(correctSpelling(written, withHas)).toBe(written);
  });
});

describe('a Chinese slip of the same sound', () => {
  it.each([
    ['怎么推货', '怎么退货'],
    ['法票怎么开', '发票怎么开'],
    ['推宽多久到账', '退款多久到账'],
    ['推貨要多久', '退货要多久'],
    ['我想 tuihuo', '我想 退货'],
  ])('“%s” → “%s”', (written, meant) => {
    expect(correctSounds(written, vocabulary)).toBe(meant);
  });

  it.each([
    '怎么退货',
    '这个是用什么做的',
    '会员中心在哪',
    'How do I return it?',
    '我想 return 一个锅',
    '发票',
  ])('“%s” is left alone', (written) => {
    expect(correctSounds(written, vocabulary)).toBe(written);
  });
});

describe('a word of two characters that only sounds alike', () => {
  const text = `${'视力与运费。'.repeat(500)}复视`;
  const passage = { title: '', headings: [], text, language: 'zh' as const };

  it('is another word where the knowledge base seldom says what it sounds like', () => {
    const rare = collectVocabulary([passage], { dictionary: [], synonyms: [] });
    expect(correctSounds('辅食先加什么', rare)).toBe('辅食先加什么');
  });

  it('is a slip where the knowledge base often says it', () => {
    const often = collectVocabulary([{ ...passage, text: text.replaceAll('视力', '复视') }], {
      dictionary: [],
      synonyms: [],
    });
    expect(correctSounds('辅食先加什么', often)).toBe('复视先加什么');
  });
});

describe('the vocabulary', () => {
  it('counts the passages of each language', () => {
    expect(vocabulary.languages).toEqual({ en: 1, zh: 1 });
  });
});
