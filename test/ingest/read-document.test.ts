import { randomBytes } from 'node:crypto';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { readDocument } from '../../src/ingest/read-document.js';
import { type Block, UnreadableError } from '../../src/ingest/source-document.js';
import { makeDocx } from '../support/documents/docx.js';
import { makePdf, type PdfText } from '../support/documents/pdf.js';
import { makeXlsx } from '../support/documents/xlsx.js';
import { makeZip } from '../support/documents/zip.js';

const read = (name: string, content: string | Uint8Array) =>
  readDocument({ documentId: name, bytes: Buffer.from(content) });
const blocksOf = async (name: string, content: string | Uint8Array): Promise<Block[]> =>
  (await read(name, content)).blocks;

describe('reading Markdown', () => {
  it('takes title, address, tags and language from the front matter', async () => {
    const source =
      '---\ntitle: 退货\nurl: https://shop.example/returns\ntags: [退货, refund]\nlanguage: zh-CN\nlayout: page\n---\nText.';
    expect(await read('en/a.md', source)).toEqual({
      title: '退货',
      url: 'https://shop.example/returns',
      tags: ['退货', 'refund'],
      language: 'zh',
      languageIsGiven: true,
      blocks: [{ type: 'text', text: 'Text.' }],
    });
  });

  it('takes the only top heading for a title, else the name of the file', async () => {
    expect((await read('a/guide.md', '# Guide *one*\n\ntext')).title).toBe('Guide one');
    expect((await read('a/guide.md', '# Product\n# Safety\ntext\n# Use\ntext')).title).toBe('Product');
    expect((await read('a/guide.v2.md', '# One\ntext\n# Two\ntext')).title).toBe('guide.v2');
    expect((await read('a/guide.md', '## Section\ntext')).title).toBe('guide');
  });

  it('leaves a text alone that only starts with a rule', async () => {
    expect(await blocksOf('a.md', '---\nSome words\n---\nmore')).toEqual([
      { type: 'heading', level: 2, text: 'Some words' },
      { type: 'text', text: 'more' },
    ]);
    expect(await blocksOf('a.md', '---\nno end')).toEqual([{ type: 'text', text: 'no end' }]);
  });

  it.each([
    ['---\ntitle: [unclosed\n---\ntext', 'front matter'],
    ['---\nurl: ftp://x\n---\ntext', 'url'],
    ['---\ntags: {a: 1}\n---\ntext', 'tags'],
  ])('says what is wrong with the front matter of %j', async (source, reason) => {
    await expect(read('a.md', source)).rejects.toThrow(reason);
  });

  it('keeps structure and inline markup, joins wrapped lines, drops comments and pictures', async () => {
    const source = [
      '## Care & *cleaning*',
      'A **bold** line &amp; `code`,',
      'wrapped. <!-- secret --> ![A cup](cup.png) See [the site](https://a.example/x) or [here](../b.md) or [ref].',
      '',
      '第一行，',
      '第二行。',
      '',
      '- one',
      '  - nested',
      '- two  ',
      '  with a break',
      '',
      '3. [x] done',
      '4. [ ] open',
      '',
      '| Code | Meaning |',
      '| --- | :-: |',
      '| E1 | a \\| b |',
      '| E2 |',
      '',
      '> quoted',
      '> text',
      '',
      '```js',
      'const x = 1;',
      '```',
      '',
      '<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>',
      '',
      '[ref]: https://ref.example',
    ].join('\n');
    expect(await blocksOf('a.md', source)).toEqual([
      { type: 'heading', level: 2, text: 'Care & cleaning' },
      {
        type: 'text',
        text: 'A **bold** line & `code`, wrapped.  A cup See [the site](https://a.example/x) or here or [ref](https://ref.example).',
      },
      { type: 'text', text: '第一行，第二行。' },
      { type: 'list', items: ['- one\n  - nested', '- two\n  with a break'] },
      { type: 'list', items: ['3. [x] done', '4. [ ] open'] },
      { type: 'table', header: ['Code', 'Meaning'], rows: [['E1', 'a | b'], ['E2']] },
      { type: 'text', text: '> quoted text' },
      { type: 'text', text: '```js\nconst x = 1;\n```' },
      { type: 'table', header: ['A', 'B'], rows: [['1', '2']] },
    ]);
  });

  it('reads every encoding, and strips what is invisible', async () => {
    const source = '# 退货\n\n三十天\u200b内可以退货。';
    for (const encoding of ['utf-8', 'utf-16le', 'utf-16be', 'gb18030']) {
      const { title, language, blocks } = await read(
        'a.md',
        iconv.encode(source.replace('\u200b', ''), encoding),
      );
      expect([title, language, blocks.at(-1)]).toEqual([
        '退货',
        'zh',
        { type: 'text', text: '三十天内可以退货。' },
      ]);
    }
    expect((await read('a.md', source)).blocks.at(-1)).toEqual({ type: 'text', text: '三十天内可以退货。' });
  });
});

describe('reading plain text', () => {
  it('finds paragraphs, chapters and underlined headings, and joins lines that were wrapped', async () => {
    const long = 'This line was wrapped by a program because it is rather long, and';
    const source = `Manual\n======\n${long}\ngoes on here.\n\nShort line\n- item\n- item\n\n第一章 总则\n第一节 目的\n本手册说明用途。`;
    expect(await blocksOf('a.txt', source)).toEqual([
      { type: 'heading', level: 1, text: 'Manual' },
      { type: 'text', text: `${long} goes on here.` },
      { type: 'text', text: 'Short line\n- item\n- item' },
      { type: 'heading', level: 1, text: '第一章 总则' },
      { type: 'heading', level: 2, text: '第一节 目的' },
      { type: 'text', text: '本手册说明用途。' },
    ]);
  });
});

describe('reading HTML', () => {
  it('takes the main content and leaves out boilerplate, scripts and hidden text', async () => {
    const source = `<!DOCTYPE html><html lang="zh-CN"><head><title>退货 - 商店</title><link rel="canonical" href="https://shop.example/r"><style>p{}</style></head>
      <body><header><nav>菜单</nav></header><aside>广告</aside><main><h1>退货</h1><script>evil()</script>
      <p>三十天内<b>可以</b>退，
      运费<a href="/fee">见此</a>。<br>谢谢</p><p hidden>ignore me</p><p style="display: none">nor me</p><div aria-hidden="true">x</div>
      <ol start="2"><li>打包</li><li>寄出<ul><li>顺丰</li></ul></li></ol>
      <dl><dt>期限</dt><dd>30 天</dd></dl><pre>a  b\n c</pre><img alt="图示" src="x"></main><footer>版权</footer></body></html>`;
    expect(await read('a.html', source)).toEqual({
      title: '退货',
      language: 'zh',
      languageIsGiven: true,
      url: 'https://shop.example/r',
      tags: [],
      blocks: [
        { type: 'heading', level: 1, text: '退货' },
        { type: 'text', text: '三十天内**可以**退，运费见此。\n谢谢' },
        { type: 'list', items: ['2. 打包', '3. 寄出\n   - 顺丰'] },
        { type: 'list', items: ['- **期限**\n  30 天'] },
        { type: 'text', text: '```\na  b\n c\n```' },
        { type: 'text', text: '图示' },
      ],
    });
  });

  it('repeats cells that span rows or columns, so that every row says all', async () => {
    const source = `<table><caption>Prices</caption><thead><tr><th rowspan="2">Item</th><th colspan="2">Price</th></tr><tr><th>new</th><th>used</th></tr></thead>
      <tr><td rowspan="2">Pan</td><td>10</td><td>5</td></tr><tr><td colspan="2">ask | us</td></tr></table>`;
    expect(await blocksOf('a.html', source)).toEqual([
      { type: 'text', text: 'Prices' },
      {
        type: 'table',
        header: ['Item', 'Price / new', 'Price / used'],
        rows: [
          ['Pan', '10', '5'],
          ['Pan', 'ask | us', 'ask | us'],
        ],
      },
    ]);
  });

  it('sees through tables that are only layout', async () => {
    const source =
      '<table role="presentation"><tr><td><h2>Care</h2><p>Wash.</p></td><td>Dry.</td></tr></table>';
    expect(await blocksOf('a.html', source)).toEqual([
      { type: 'heading', level: 2, text: 'Care' },
      { type: 'text', text: 'Wash.' },
      { type: 'text', text: 'Dry.' },
    ]);
  });

  it('believes the declared charset, and reads a page under any text name as a page', async () => {
    const page = '<html><meta charset="gbk"><p>退货</p></html>';
    expect(await blocksOf('a.htm', iconv.encode(page, 'gbk'))).toEqual([{ type: 'text', text: '退货' }]);
    expect(await blocksOf('a.txt', page)).toEqual([{ type: 'text', text: '退货' }]);
  });
});

describe('reading PDF', () => {
  it('tells headings by their size and joins lines and parted words', async () => {
    const pdf = makePdf([
      [
        { text: '设备手册', size: 20 },
        { text: '清洁滤网', size: 14, gap: 40 },
        { text: '每两周取出滤网，用清水冲洗，', gap: 24 },
        { text: '晾干后装回。' },
        { text: 'The filter is dish-', gap: 40 },
        { text: 'washer safe.' },
        { text: '• one', gap: 40 },
        { text: '• two' },
      ],
    ]);
    expect(await read('a.pdf', pdf)).toMatchObject({
      title: '设备手册',
      blocks: [
        { type: 'heading', level: 1, text: '设备手册' },
        { type: 'heading', level: 2, text: '清洁滤网' },
        { type: 'text', text: '每两周取出滤网，用清水冲洗，晾干后装回。' },
        { type: 'text', text: 'The filter is dishwasher safe.' },
        { type: 'text', text: '• one\n• two' },
      ],
    });
  });

  it('leaves out running headers, footers and page numbers, and joins what a page border cut', async () => {
    const page = (number: number, body: PdfText[]): PdfText[] => [
      { text: 'Kettle manual' },
      ...body,
      { text: `Page ${number} of 4`, gap: 60 },
    ];
    const pdf = makePdf(
      [
        page(1, [{ text: 'Fill the kettle with', gap: 60 }]),
        page(2, [{ text: 'fresh water only.', gap: 60 }]),
        page(3, [{ text: 'Never fill it above the mark.', gap: 60 }]),
        page(4, [{ text: 'Close the lid.', gap: 60 }]),
      ],
      { title: 'A kettle' },
    );
    expect(await read('a.pdf', pdf)).toMatchObject({
      title: 'A kettle',
      blocks: [
        { type: 'text', text: 'Fill the kettle with fresh water only.' },
        { type: 'text', text: 'Never fill it above the mark.' },
        { type: 'text', text: 'Close the lid.' },
      ],
    });
  });

  it.each([
    ['one without text', makePdf([[], []]), 'OCR'],
    ['one with a password', makePdf([[{ text: 'secret' }]], { encrypted: true }), 'protected by a password'],
    ['garbage behind the right first bytes', Buffer.from('%PDF-1.7 garbage'), 'not a valid PDF'],
    ['one that ends early', makePdf([[{ text: 'x' }]]).subarray(0, 200), 'not a valid PDF'],
    ['something else under its name', Buffer.from('plain words'), 'not a valid PDF'],
  ])('refuses %s', async (_name, bytes, reason) => {
    await expect(read('a.pdf', bytes)).rejects.toThrow(reason);
  });
});

describe('reading DOCX', () => {
  it('keeps headings, lists, tables and emphasis', async () => {
    const docx = makeDocx([
      { heading: 1, text: '手册 & more' },
      { paragraph: '重要', bold: true },
      { heading: 2, text: 'Steps' },
      { list: ['one', 'two'], ordered: true },
      { list: ['a', 'b'] },
      {
        table: [
          ['型号', '价格'],
          ['A1', '<10>'],
        ],
      },
    ]);
    expect(await read('a.docx', docx)).toMatchObject({
      title: '手册 & more',
      blocks: [
        { type: 'heading', level: 1, text: '手册 & more' },
        { type: 'text', text: '**重要**' },
        { type: 'heading', level: 2, text: 'Steps' },
        { type: 'list', items: ['1. one', '2. two'] },
        { type: 'list', items: ['- a', '- b'] },
        { type: 'table', header: ['型号', '价格'], rows: [['A1', '<10>']] },
      ],
    });
  });

  it('is told by its content where the name is wrong', async () => {
    expect(await blocksOf('a.pdf', makeDocx([{ paragraph: 'words' }]))).toEqual([
      { type: 'text', text: 'words' },
    ]);
  });
});

describe('reading tables and pairs', () => {
  it.each([
    [
      'CSV',
      'a.csv',
      'Question,Answer,tags,url\n"How, exactly?","Line one\nline two","a;b",https://x.example\n,no question,,\n',
    ],
    [
      'TSV',
      'a.tsv',
      'q\ta\ttags\turl\nHow, exactly?\t"Line one\nline two"\ta;b\thttps://x.example\n\tno question\n',
    ],
    [
      'CSV with semicolons',
      'a.csv',
      '问题;答案;标签;链接\nHow, exactly?;"Line one\nline two";"a;b";https://x.example\n;no question;;\n',
    ],
    [
      'JSONL',
      'a.jsonl',
      '{"question": "How, exactly?", "answer": "Line one\\nline two", "tags": ["a", "b"], "url": "https://x.example"}\n\n{"answer": "no question"}',
    ],
  ])('reads question-answer pairs of %s', async (_name, file, source) => {
    const [pair, ...others] = await blocksOf(file, source);
    expect(pair).toEqual({
      type: 'faq',
      question: 'How, exactly?',
      answer: 'Line one\nline two',
      tags: ['a', 'b'],
      url: 'https://x.example',
    });
    expect(others).toEqual([{ type: 'record', text: expect.stringContaining('no question') }]);
  });

  it('makes a record of every row of another table', async () => {
    expect(await blocksOf('a.csv', 'code,meaning,\nE1,"no, water",\nE2,,x\n,,\n')).toEqual([
      { type: 'record', text: 'code: E1\nmeaning: no, water' },
      { type: 'record', text: 'code: E2\nx' },
    ]);
    expect(
      await blocksOf('a.jsonl', '{"code": "E1", "steps": ["a", "b"], "more": {"x": 1}, "none": null}'),
    ).toEqual([{ type: 'record', text: 'code: E1\nsteps: a, b\nmore: {"x":1}' }]);
  });

  it('takes a line separator inside a JSON string for a line break in the text', async () => {
    const line = JSON.stringify({ question: 'How?\u200b', answer: 'One\u2028two' });
    expect(await blocksOf('a.jsonl', line)).toEqual([
      { type: 'faq', question: 'How?', answer: 'One\ntwo', tags: [] },
    ]);
  });

  it('does not make a pair of what has no visible answer', async () => {
    expect(await blocksOf('a.jsonl', JSON.stringify({ question: 'How?', answer: '\u200b' }))).toEqual([
      { type: 'record', text: 'question: How?' },
    ]);
  });

  it('reads every sheet of a workbook, with dates, numbers and truth values', async () => {
    const xlsx = makeXlsx([
      {
        name: '价格',
        rows: [
          ['型号', '价格', '日期', '有货'],
          ['A1', 10.5, new Date('2026-03-01'), true],
          [null, null, null, null],
        ],
      },
      { name: 'empty', rows: [] },
      {
        name: 'FAQ',
        rows: [
          ['问题', '答案'],
          ['怎么退？', '三十天内'],
          [42, 'a number'],
        ],
      },
    ]);
    expect(await blocksOf('a.xlsx', xlsx)).toEqual([
      { type: 'heading', level: 2, text: '价格' },
      { type: 'record', text: '型号: A1\n价格: 10.5\n日期: 2026-03-01\n有货: true' },
      { type: 'heading', level: 2, text: 'FAQ' },
      { type: 'faq', question: '怎么退？', answer: '三十天内', tags: [] },
      { type: 'faq', question: '42', answer: 'a number', tags: [] },
    ]);
  });

  it.each([
    ['a.jsonl', '{"question": "a", "answer": "b"}\n{broken', 'line 2 is not valid JSON'],
    ['a.jsonl', '[1]', 'line 1 is not a JSON object'],
    ['a.csv', 'question,answer\n"never closed,b', 'not a valid table'],
    ['a.csv', 'question,answer\n', 'no text'],
  ])('says what is wrong with %s %j', async (file, source, reason) => {
    await expect(read(file, source)).rejects.toThrow(reason);
  });
});

describe('refusing files', () => {
  const bomb = makeZip([{ name: 'word/document.xml', content: Buffer.alloc(250 * 1024 * 1024) }]);

  it.each([
    ['an empty file', 'a.md', '', 'empty'],
    ['a file of spaces', 'a.txt', ' \n\u200b\n ', 'no text'],
    ['binary content under a text name', 'a.md', randomBytes(5000), 'not text'],
    ['an unknown type', 'a.pptx', 'words', 'not supported'],
    ['a file without extension', 'README', 'words', 'not supported'],
    ['an archive', 'a.docx', makeZip([{ name: 'a.txt', content: 'x' }]), 'archive'],
    ['an old or locked Office file', 'a.docx', Buffer.from('d0cf11e0a1b11ae1', 'hex'), 'older Office file'],
    ['a broken archive', 'a.docx', makeDocx([{ paragraph: 'x' }]).subarray(0, 900), 'damaged'],
    [
      'a Word file without its parts',
      'a.docx',
      makeZip([{ name: 'word/document.xml', content: '<' }]),
      'not a valid DOCX',
    ],
    [
      'an Excel file without its parts',
      'a.xlsx',
      makeZip([{ name: 'xl/workbook.xml', content: '<' }]),
      'not a valid XLSX',
    ],
    ['a zip bomb', 'a.docx', bomb, '200 MB'],
    ['markup nested without end', 'a.html', '<div>'.repeat(50_000), 'nested too deeply'],
  ])('refuses %s with a reason', async (_name, file, content, reason) => {
    const refusal = read(file, content);
    await expect(refusal).rejects.toThrow(UnreadableError);
    await expect(refusal).rejects.toThrow(reason);
  });
});
