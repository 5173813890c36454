import { describe, expect, it } from 'vitest';
import { findQuote } from '../../src/page/find-quote.js';

function found(passage: string, quote: string): string | undefined {
  const range = findQuote(passage, quote);
  return range === undefined ? undefined : passage.slice(range.start, range.end);
}

describe('finding a quote in its passage', () => {
  it('finds it as it stands', () => {
    expect(found('Unused. Within 30 days. Packed.', 'Within 30 days.')).toBe('Within 30 days.');
  });

  it('finds it across line ends and Markdown signs, up to its last character', () => {
    expect(found('Return it within\n**30 days** of delivery.', 'within 30 days of')).toBe(
      'within\n**30 days** of',
    );
    expect(found('- 退货须在\n  **30 天**内提出。', '退货须在30天内提出。')).toBe(
      '退货须在\n  **30 天**内提出。',
    );
  });

  it('finds it in other letter case and character width', () => {
    expect(found('错误码 Ｅ０１：请清理滚刷', '错误码 e01:请')).toBe('错误码 Ｅ０１：请');
  });

  it('keeps surrogate pairs whole', () => {
    expect(found('a 😀  b', '😀 b')).toBe('😀  b');
  });

  it('finds nothing where the words are others, and nothing of nothing', () => {
    expect(found('Within 30 days.', 'Within 60 days.')).toBeUndefined();
    expect(found('Within 30 days.', '')).toBeUndefined();
    expect(found('Within 30 days.', ' ** ')).toBeUndefined();
  });
});
