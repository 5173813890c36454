import { describe, expect, it } from 'vitest';
import { detectLanguage } from '../src/language.js';

describe('detectLanguage', () => {
  it.each([
    ['怎么退货', 'zh'],
    ['退货', 'zh'],
    ['iPhone 15 Pro Max 怎么退货？', 'zh'],
    ['Kettlewick Gold Kettle Club 是啥', 'zh'],
    ['What is 壶友会?', 'en'],
    ['How do I say 保修期 in English?', 'en'],
    ['refund', 'en'],
    ['E05', 'en'],
    ['😀', 'en'],
    ['', 'en'],
  ])('takes %j for %s', (text, language) => {
    expect(detectLanguage(text)).toBe(language);
  });
});
