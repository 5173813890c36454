import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitSentences } from '../src/sentences.js';

const texts = (source: string): string[] => splitSentences(source).map(({ text }) => text);

describe('splitSentences', () => {
  it('ends English sentences at stops, not at decimals, addresses and abbreviations', () => {
    expect(
      texts(
        'It costs 3.5 % (e.g. Visa). See https://a.example/b?c=d.e for more! Ask Dr. Li of the U.S. team. Done?',
      ),
    ).toEqual([
      'It costs 3.5 % (e.g. Visa).',
      'See https://a.example/b?c=d.e for more!',
      'Ask Dr. Li of the U.S. team.',
      'Done?',
    ]);
  });

  it('tells “No. 5” from a plain “No.” and an initial from a last letter', () => {
    expect(texts('No. 5 is gone. No. It is not. J. Smith eats vitamin C. Then he sleeps.')).toEqual([
      'No. 5 is gone.',
      'No.',
      'It is not.',
      'J. Smith eats vitamin C.',
      'Then he sleeps.',
    ]);
  });

  it('does not end a sentence before a lower-case word', () => {
    expect(texts('"Why?" he asked. Use Yahoo! mail.')).toEqual(['"Why?" he asked.', 'Use Yahoo! mail.']);
  });

  it('ends Chinese sentences without white space, closing quotes and brackets included', () => {
    expect(texts('保修期是2.5年。“可以吗？”他问！固件v2.0版本（见第3.2节）。好的')).toEqual([
      '保修期是2.5年。',
      '“可以吗？”',
      '他问！',
      '固件v2.0版本（见第3.2节）。',
      '好的',
    ]);
  });

  it('keeps citation marks with the sentence they stand behind', () => {
    expect(
      texts('Returns take 30 days. [1][2] Refunds take five [3]. 退货要三十天。[1]退款五天【2】。'),
    ).toEqual([
      'Returns take 30 days. [1][2]',
      'Refunds take five [3].',
      '退货要三十天。[1]',
      '退款五天【2】。',
    ]);
  });

  it('joins wrapped lines and parts paragraphs', () => {
    expect(texts('One line\ngoes on here.\r\n\r\nAnother paragraph')).toEqual([
      'One line\ngoes on here.',
      'Another paragraph',
    ]);
  });

  it('ends a sentence at headings, list items, table rows and lines of code', () => {
    expect(
      texts(
        '# Care. And use\ntext\n- one\n- two\n1. Open it. Close it.\n二、清洗\n（1）擦干\n| a | b |\n| --- | --- |\n| c. D | e |\n```\nx = 1. Y\n```',
      ),
    ).toEqual([
      '# Care. And use',
      'text',
      '- one',
      '- two',
      '1. Open it.',
      'Close it.',
      '二、清洗',
      '（1）擦干',
      '| a | b |\n| --- | --- |',
      '| c. D | e |',
      '```',
      'x = 1. Y',
      '```',
    ]);
  });

  it('covers everything but white space exactly once, in order, for any text', () => {
    const pieces = fc.constantFrom(
      'a',
      'B',
      '.',
      '!',
      '。',
      '？',
      ' ',
      '\n',
      '\r\n',
      '[1]',
      '|',
      '- ',
      '1. ',
      '中',
      '”',
      '#',
      '```',
      '\u2028',
      '😀',
    );
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(anyText, (source) => {
        let at = 0;
        for (const { start, end, text } of splitSentences(source)) {
          expect(source.slice(at, start).trim()).toBe('');
          expect(text).toBe(source.slice(start, end));
          expect(text).toBe(text.trim());
          expect(text).not.toBe('');
          at = end;
        }
        expect(source.slice(at).trim()).toBe('');
      }),
      { numRuns: 1000 },
    );
  });
});
