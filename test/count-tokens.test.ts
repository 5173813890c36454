import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTokens } from '../src/count-tokens.js';

describe('countTokens', () => {
  it.each([
    ['', 0],
    [' \n\t ', 0],
    ['退货三十天', 5],
    ['ten words of plain text make some 13 of them', 13],
    ['退货。', 3],
    ['iPhone手机', 4],
    ['-----', 2],
    ['😀', 1],
  ])('counts %j as %i', (text, tokens) => {
    expect(countTokens(text)).toBe(tokens);
  });

  it('counts long words by their letters, so that nothing is free', () => {
    expect(countTokens('x'.repeat(4000))).toBe(1000);
    expect(countTokens('!'.repeat(4000))).toBe(1000);
  });

  it('never counts a whole as more than its parts', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        expect(countTokens(a + b)).toBeLessThanOrEqual(countTokens(a) + countTokens(b));
      }),
    );
  });
});
