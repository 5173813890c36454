import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanText, joinWrapped, oneLine } from '../../src/ingest/clean-text.js';

describe('cleanText', () => {
  it('takes out what nobody sees: controls, zero-width and direction marks, tag characters, lone surrogates', () => {
    const hidden = '\0\x07\x1b\u200b\u200e\u202e\u2060\ufeff\u00ad\u{e0041}\u{e0100}\ud800\uffff\ufdd0';
    expect(cleanText([...hidden].map((character) => `a${character}`).join(''))).toBe(
      'a'.repeat([...hidden].length),
    );
  });

  it('keeps tabs, line breaks, emoji sequences and their joiners', () => {
    expect(cleanText('a\tb\r\nc\rd\u2028e')).toBe('a\tb\nc\nd\ne');
    expect(cleanText('👩‍🚒 👍🏽 ❤️ 👩🏽‍🚒')).toBe('👩‍🚒 👍🏽 ❤️ 👩🏽‍🚒');
    expect(cleanText('a\u200db')).toBe('ab');
  });

  it('composes accents and turns fixed spaces into plain ones', () => {
    expect(cleanText('cafe\u0301\u00a0x')).toBe('café x');
  });

  it('shortens padding', () => {
    expect(cleanText(`a${' '.repeat(1000)}b${'\n'.repeat(1000)}c`)).toBe('a b\n\n\nc');
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const clean = cleanText(text);
        expect(cleanText(clean)).toBe(clean);
      }),
    );
  });
});

describe('joining lines', () => {
  it('puts a space between Latin words and none between Chinese characters', () => {
    expect(joinWrapped('one', 'two')).toBe('one two');
    expect(joinWrapped('一行，', '又一行')).toBe('一行，又一行');
    expect(oneLine('  a \n\n  b   c\n中\n文 ')).toBe('a b c 中文');
  });
});
