import { describe, expect, it } from 'vitest';
import { cutIntoPieces } from '../../src/answer/quotable-pieces.js';

describe('a passage is cut into what can be quoted', () => {
  it('sentences of its paragraphs', () => {
    expect(cutIntoPieces('One fee. It is ¥3.5.\n\nAnother\nline.', 'en')).toMatchObject([
      { kind: 'sentence', text: 'One fee.', block: 0 },
      { kind: 'sentence', text: 'It is ¥3.5.', block: 0 },
      { kind: 'sentence', text: 'Another line.', block: 1 },
    ]);
  });

  it('list items, with their numbers and what opens the list', () => {
    const text = 'Some goods stay:\n\n- knives\n- pans that\n  are used\n\n1. Open.\n2. Close.';
    expect(cutIntoPieces(text, 'en').slice(1)).toMatchObject([
      { kind: 'item', text: 'knives', context: 'Some goods stay:' },
      { kind: 'item', text: 'pans that are used' },
      { kind: 'item', text: 'Open.', number: '1' },
      { kind: 'item', text: 'Close.', number: '2' },
    ]);
  });

  it('table rows, put into words with the names of their columns', () => {
    const table =
      '| Way | Fee | Time |\n| --- | --- | --- |\n| Next day | ¥18 | \\| 1 day |\n| **None** | | |';
    expect(cutIntoPieces(table, 'en').map(({ text }) => text)).toEqual([
      '**Next day** — Fee: ¥18; Time: | 1 day',
      '**None**',
    ]);
    expect(
      cutIntoPieces('| 方式 | 运费 | 时效 |\n| --- | --- | --- |\n| 次日达 | 18 元 | 次日 |', 'zh')[0]?.text,
    ).toBe('**次日达**：运费：18 元；时效：次日');
  });

  it('not headings and code, unless there is nothing else', () => {
    expect(cutIntoPieces('## Fees\nOne.\n```\ncode\n```\nTwo.', 'en').map(({ text }) => text)).toEqual([
      'One.',
      'Two.',
    ]);
    expect(cutIntoPieces('```\ncode\n```', 'en').map(({ text }) => text)).toEqual(['```\ncode\n```']);
  });
});
