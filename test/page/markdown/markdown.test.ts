import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Block, Inline, Line, TextLeaf } from '../../../src/page/markdown/ast.js';
import { parseMarkdown } from '../../../src/page/markdown/blocks.js';

/** A readable picture of the tree: `<strong>` around what is strong, `|` between cells. */
function show(source: string): string[] {
  return parseMarkdown(source).map(showBlock);
}

function showBlock(block: Block): string {
  switch (block.type) {
    case 'paragraph':
      return showLine(block.content);
    case 'heading':
      return `h${block.level}: ${showLine(block.content)}`;
    case 'code':
      return `code: ${block.lines.map(({ text }) => text).join('⏎')}`;
    case 'quote':
      return `quote(${block.blocks.map(showBlock).join(' ')})`;
    case 'list': {
      const items = block.items.map((blocks) => `[${blocks.map(showBlock).join(' ')}]`).join('');
      return `${block.ordered ? `ol ${block.first}` : 'ul'}${items}`;
    }
    case 'table':
      return [block.header, ...block.rows].map((row) => row.map(showLine).join('|')).join('⏎');
    case 'rule':
      return '---';
  }
}

const showLine = ({ inlines }: Line): string => inlines.map(showInline).join('');

function showInline(inline: Inline): string {
  switch (inline.type) {
    case 'text':
      return inline.text;
    case 'code':
      return `\`${inline.text}\``;
    case 'break':
      return inline.hard ? '⏎' : '·';
    case 'link':
      return `<a ${inline.href}>${inline.children.map(showInline).join('')}</a>`;
    default:
      return `<${inline.type}>${inline.children.map(showInline).join('')}</${inline.type}>`;
  }
}

function leavesOf(blocks: readonly Block[]): TextLeaf[] {
  return blocks.flatMap((block): TextLeaf[] => {
    if (block.type === 'code') return block.lines;
    if (block.type === 'quote') return leavesOf(block.blocks);
    if (block.type === 'list') return block.items.flatMap(leavesOf);
    if (block.type === 'table') {
      return [block.header, ...block.rows].flat().flatMap(({ inlines }) => inlineLeaves(inlines));
    }
    return 'content' in block ? inlineLeaves(block.content.inlines) : [];
  });
}

function inlineLeaves(inlines: readonly Inline[]): TextLeaf[] {
  return inlines.flatMap((inline) => {
    if (inline.type === 'break') return [];
    return 'text' in inline ? [inline] : inlineLeaves(inline.children);
  });
}

describe('Markdown of answers and passages', () => {
  it('reads paragraphs, headings, rules and emphasis', () => {
    expect(show('## Returns ##\n\nWithin **30 days**, *unused*.\n\n---\n\nThe ~~old~~ rule')).toEqual([
      'h2: Returns',
      'Within <strong>30 days</strong>, <emphasis>unused</emphasis>.',
      '---',
      'The <deleted>old</deleted> rule',
    ]);
  });

  it('makes Chinese text strong though no space surrounds the signs', () => {
    expect(show('**退货期限：**自签收起**30天**内。')).toEqual([
      '<strong>退货期限：</strong>自签收起<strong>30天</strong>内。',
    ]);
  });

  it('keeps signs that emphasise nothing', () => {
    expect(show('2 * 3 * 4, snake_case_name, a ** b, **open')).toEqual([
      '2 * 3 * 4, snake_case_name, a ** b, **open',
    ]);
  });

  it('reads nested lists, also where a model indents by two columns only', () => {
    expect(show('1. First\n  - inner\n  - more\n2. Second\n\n   with a paragraph\n\n3. Third')).toEqual([
      'ol 1[First ul[inner][more]][Second with a paragraph][Third]',
    ]);
    expect(show('3) three\n4) four\n\nAfter')).toEqual(['ol 3[three][four]', 'After']);
  });

  it('reads tables with alignment, escaped bars and missing cells', () => {
    const source = '| Code | Meaning |\n|:--|--:|\n| `E1` | a \\| b |\n| E2 |\n\nAfter';
    expect(show(source)).toEqual(['Code|Meaning⏎`E1`|a | b⏎E2|', 'After']);
    expect(parseMarkdown(source)[0]).toMatchObject({ alignments: ['left', 'right'] });
  });

  it('reads code fences, also one that is still being written', () => {
    expect(show('```sh\nnpm start\n\n# no heading\n```\nAfter')).toEqual([
      'code: npm start⏎⏎# no heading',
      'After',
    ]);
    expect(show('~~~\nhalf')).toEqual(['code: half']);
  });

  it('tells wrapped lines from lines that were ended on purpose', () => {
    expect(show('one\ntwo  \nthree<br>four\\\nfive')).toEqual(['one·two⏎three⏎four⏎five']);
  });

  it('links web and mail addresses and nothing else', () => {
    expect(show('[help](https://shop.example/a) <mailto:a@b.example> 见https://shop.example/b。')).toEqual([
      '<a https://shop.example/a>help</a> <a mailto:a@b.example>mailto:a@b.example</a> 见<a https://shop.example/b>https://shop.example/b</a>。',
    ]);
    expect(show('[x](javascript:alert(1)) [y](data:text/html,1)')).toEqual(['x) y']);
  });

  it('shows an image as its description and raw HTML as it is', () => {
    expect(show('![a cat](https://else.example/cat.png) <img src=x onerror=alert(1)>')).toEqual([
      'a cat <img src=x onerror=alert(1)>',
    ]);
  });

  it('knows for every character it shows where it stands in the source', () => {
    const source = '> 1. a **b `c`** \\* d\n>    e\n\n| f | g\\|h |\n|---|---|\n| **i** |\n';
    const leaves = leavesOf(parseMarkdown(source));
    expect(leaves.map(({ text }) => text)).toEqual([
      'a ',
      'b ',
      'c',
      ' ',
      '*',
      ' d',
      'e',
      'f',
      'g',
      '|',
      'h',
      'i',
    ]);
    for (const { text, start } of leaves) expect(source.slice(start, start + text.length)).toBe(text);
  });

  it('takes any text: leaves stand in order and where they say', () => {
    const pieces = fc.constantFrom(
      '**',
      '*',
      '_',
      '`',
      '```',
      '~~',
      '[',
      '](',
      ')',
      '<br>',
      '|',
      '\n',
      '\n\n',
      '- ',
      '1. ',
      '> ',
      '# ',
      '  ',
      '\\',
      'https://a.example',
      '|---|',
      '退货',
      'word',
      ' ',
      '😀',
      '\r\n',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
        const source = parts.join('');
        let last = 0;
        for (const { text, start } of leavesOf(parseMarkdown(source))) {
          expect(source.slice(start, start + text.length)).toBe(text);
          expect(start).toBeGreaterThanOrEqual(last);
          last = start + text.length;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('reads a hundred thousand hostile characters without growing slower and slower', () => {
    for (const piece of ['[', '*', '**a ', '`', '_a', '<', 'h', '> ', '- ', '|', '![', '~~']) {
      const source = piece.repeat(100_000 / piece.length);
      expect(() => parseMarkdown(source)).not.toThrow();
    }
  });
});
