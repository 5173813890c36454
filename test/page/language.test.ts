import { describe, expect, it } from 'vitest';
import { chooseLanguage, languageOf, localized } from '../../src/page/language.js';
import { textsFor } from '../../src/page/texts.js';

describe('the language of the page', () => {
  it('is what was chosen before, else the first the browser prefers of the two', () => {
    expect(chooseLanguage('zh', ['en-GB'])).toBe('zh');
    expect(chooseLanguage(undefined, ['fr-FR', 'zh-Hant-TW', 'en'])).toBe('zh');
    expect(chooseLanguage(undefined, ['en-US', 'zh'])).toBe('en');
    expect(chooseLanguage('xx', ['de'])).toBe('en');
  });

  it('takes a text in the other language rather than none', () => {
    expect(localized({ zh: '商店' }, 'en')).toBe('商店');
    expect(localized({ en: 'Shop', zh: '商店' }, 'zh')).toBe('商店');
    expect(localized(undefined, 'zh')).toBe('');
  });

  it('tells Chinese text from other text', () => {
    expect(languageOf('金壶会员可以退货吗？')).toBe('zh');
    expect(languageOf('R3 Plus 清理滚刷')).toBe('zh');
    expect(languageOf('What does 退货 mean in this shop?')).toBe('en');
  });

  it('says everything in both languages', () => {
    const shape = (value: unknown): unknown => {
      if (typeof value !== 'object' || value === null) return typeof value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]));
    };
    expect(shape(textsFor('zh'))).toEqual(shape(textsFor('en')));
  });
});
