import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTokens } from '../../src/count-tokens.js';
import { PASSAGE_SIZE } from '../../src/ingest/passage-size.js';
import { readDocument } from '../../src/ingest/read-document.js';
import type { Block, SourceDocument } from '../../src/ingest/source-document.js';
import { type PassageDraft, splitIntoPassages } from '../../src/ingest/split-into-passages.js';
import { splitSentences } from '../../src/sentences.js';

const documentOf = (blocks: Block[], fields: Partial<SourceDocument> = {}): SourceDocument => ({
  title: 'Guide',
  language: 'en',
  languageIsGiven: false,
  tags: [],
  blocks,
  ...fields,
});
const split = (blocks: Block[], fields?: Partial<SourceDocument>): PassageDraft[] =>
  splitIntoPassages(documentOf(blocks, fields));
const heading = (level: number, text: string): Block => ({ type: 'heading', level, text });
const text = (words: string): Block => ({ type: 'text', text: words });
/** So many sentences of 17 tokens, all different. */
const sentences = (count: number, word = 'word'): string[] =>
  Array.from({ length: count }, (_, index) => `The ${word} no ${index} is so and so, of a kind.`);

describe('headings', () => {
  it('carries the headings above a passage, without the title', () => {
    const passages = split([
      heading(1, 'Guide'),
      text('Introduction.'),
      heading(2, 'Care'),
      heading(3, 'Daily'),
      text(sentences(6).join(' ')),
      heading(4, 'Filter'),
      text(sentences(7, 'filter').join(' ')),
      heading(2, 'Repair'),
      text('Call us.'),
    ]);
    expect(passages.map(({ headings }) => headings)).toEqual([
      [],
      ['Care', 'Daily'],
      ['Care', 'Daily', 'Filter'],
      ['Repair'],
    ]);
  });

  it('keeps a top heading that is not the title', () => {
    const passages = split([heading(1, 'Chapter'), heading(2, 'Part'), text('Words.')]);
    expect(passages[0]?.headings).toEqual(['Chapter', 'Part']);
  });

  it('makes a passage of a heading with nothing below it', () => {
    expect(split([heading(2, 'Alone'), heading(2, 'Other'), text('Words.')])).toMatchObject([
      { headings: [], text: 'Alone' },
      { headings: ['Other'], text: 'Words.' },
    ]);
    expect(split([heading(1, 'Guide')])).toMatchObject([{ headings: [], text: 'Guide' }]);
  });

  it('reads a heading of paragraph length as a paragraph', () => {
    const long = sentences(6).join(' ');
    expect(split([heading(2, long), text('Words.')])).toMatchObject([
      { headings: [], text: `${long}\n\nWords.` },
    ]);
  });
});

describe('small sections', () => {
  it('join under the same parent, their headings kept in the text', () => {
    const passages = split([
      heading(2, 'Cleaning'),
      text('Unplug it first.'),
      heading(3, 'Daily'),
      text('Wipe it.'),
      heading(3, 'Weekly'),
      text('Rinse the filter.'),
    ]);
    expect(passages).toMatchObject([
      {
        headings: ['Cleaning'],
        text: 'Unplug it first.\n\n### Daily\n\nWipe it.\n\n### Weekly\n\nRinse the filter.',
      },
    ]);
  });

  it('stay apart where they are second-level sections or have different parents', () => {
    const passages = split([
      heading(2, 'Returns'),
      text('Thirty days.'),
      heading(2, 'Shipping'),
      text('Two days.'),
      heading(3, 'Abroad'),
      text(sentences(6).join(' ')),
      heading(2, 'Care'),
      heading(3, 'Daily'),
      text('Wipe it.'),
    ]);
    expect(passages.map(({ headings }) => headings)).toEqual([['Returns'], ['Shipping'], ['Care', 'Daily']]);
    expect(passages[1]?.text).toContain('### Abroad');
  });
});

describe('sizes', () => {
  it('keeps a section whole up to the largest size', () => {
    expect(split([text(sentences(15).join(' '))])).toHaveLength(1);
    expect(split([text(sentences(17).join(' '))])).toHaveLength(1);
  });

  it('cuts a long section at sentences and repeats the last ones, at most 40 tokens', () => {
    const all = sentences(60);
    const passages = split([text(all.join(' '))]);
    expect(passages.length).toBeGreaterThan(3);
    for (const [index, passage] of passages.entries()) {
      expect(all.join(' ')).toContain(passage.text);
      expect(passage.tokens).toBe(countTokens(passage.text));
      expect(passage.tokens).toBeLessThanOrEqual(PASSAGE_SIZE.most);
      expect(passage.text).toMatch(/^The .*\.$/s);
      if (index > 0) {
        const before = splitSentences(passages[index - 1]?.text ?? '').map((sentence) => sentence.text);
        const shared = splitSentences(passage.text).filter((sentence) => before.includes(sentence.text));
        const tokens = shared.reduce((sum, sentence) => sum + countTokens(sentence.text), 0);
        expect(tokens).toBeGreaterThan(0);
        expect(tokens).toBeLessThanOrEqual(PASSAGE_SIZE.overlap);
      }
    }
  });

  it('never repeats a sentence of another section', () => {
    const passages = split([
      heading(2, 'A'),
      text(sentences(20).join(' ')),
      heading(2, 'B'),
      text('Only this.'),
    ]);
    expect(passages.at(-1)).toMatchObject({ headings: ['B'], text: 'Only this.' });
  });

  it('does not leave a remainder of a few words', () => {
    const sizes = split([text(sentences(34).join(' '))]).map(({ tokens }) => tokens);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(PASSAGE_SIZE.small);
  });

  it('cuts Chinese, and sentences without an end after a clause', () => {
    const clause = '这一句话没有句号只有逗号，';
    const passages = split([text(clause.repeat(60))]);
    for (const passage of passages.slice(0, -1)) expect(passage.text).toMatch(/，$/);
    expect(passages.map((passage) => passage.text).join('')).toContain(clause.repeat(10));
  });

  it('cuts text without any place to cut, never inside a character', () => {
    const passages = split([
      text('𠀀'.repeat(2000)),
      text(`a${'𝒜'.repeat(3000)}`),
      text('QUJD'.repeat(3000)),
    ]);
    for (const passage of passages) {
      expect(passage.tokens).toBeLessThanOrEqual(PASSAGE_SIZE.most);
      expect(passage.text).not.toMatch(/\p{Surrogate}/u);
    }
  });
});

describe('tables and lists', () => {
  const rows = (count: number): string[][] =>
    Array.from({ length: count }, (_, index) => [`E${index}`, `meaning ${index} of the code`]);
  const table = (count: number): Block => ({ type: 'table', header: ['Code', 'Meaning'], rows: rows(count) });

  it('keeps a table whole, with the sentence that leads to it', () => {
    const before = text(sentences(10).join(' '));
    const passages = split([before, text('These codes are shown:'), table(12)]);
    expect(passages).toHaveLength(2);
    expect(passages[0]?.text).not.toContain('These codes');
    expect(passages[1]?.text).toMatch(
      /These codes are shown:\n\n\| Code \| Meaning \|\n\| --- \| --- \|\n\| E0 .*\| E11 [^\n]*$/s,
    );
  });

  it('cuts a long table between rows and repeats the header', () => {
    const passages = split([table(100)]);
    const all = passages.flatMap((passage) => passage.text.split('\n').slice(2));
    expect(passages.length).toBeGreaterThan(3);
    for (const passage of passages)
      expect(passage.text).toMatch(/^\| Code \| Meaning \|\n\| --- \| --- \|\n\| E/);
    expect(all).toEqual(rows(100).map(([code, meaning]) => `| ${code} | ${meaning} |`));
  });

  it('writes a row that is too long for a table as lines of its own', () => {
    const long = sentences(40).join(' ');
    const passages = split([{ type: 'table', header: ['Code', 'Meaning'], rows: [['E1', long]] }]);
    expect(passages[0]?.text).toMatch(/^Code: E1\n\nMeaning: The word no 0/);
    expect(Math.max(...passages.map(({ tokens }) => tokens))).toBeLessThanOrEqual(PASSAGE_SIZE.most);
  });

  it('keeps a list with its lead-in where both fit, else cuts between items', () => {
    const items = (count: number): string[] => sentences(count).map((sentence) => `- ${sentence}`);
    const filler = text(sentences(10, 'filler').join(' '));
    const [before, whole] = split([filler, text('You need:'), { type: 'list', items: items(11) }]);
    expect(before?.text).not.toContain('You need');
    expect(whole?.text.endsWith(`You need:\n\n${items(11).join('\n')}`)).toBe(true);
    const parts = split([text('You need:'), { type: 'list', items: items(50) }]);
    expect(parts[0]?.text).toMatch(/^You need:\n\n- The word no 0/);
    expect(
      parts.flatMap((passage) => passage.text.split('\n').filter((line) => line.startsWith('-'))),
    ).toEqual(items(50));
  });
});

describe('curated pairs and records', () => {
  it('are one passage each, with address and tags of their own beside the document’s', () => {
    const passages = split(
      [
        { type: 'faq', question: 'How?', answer: 'So.', url: 'https://a.example', tags: ['x', 'doc'] },
        { type: 'faq', question: '怎么退？', answer: '三十天内。', tags: [] },
        { type: 'record', text: 'code: E1' },
        { type: 'record', text: 'code: E2' },
      ],
      { tags: ['doc'], url: 'https://doc.example' },
    );
    expect(passages).toEqual([
      {
        kind: 'faq',
        headings: ['How?'],
        text: 'So.',
        language: 'en',
        tags: ['doc', 'x'],
        url: 'https://a.example',
        tokens: 3,
      },
      {
        kind: 'faq',
        headings: ['怎么退？'],
        text: '三十天内。',
        language: 'zh',
        tags: ['doc'],
        url: 'https://doc.example',
        tokens: 5,
      },
      {
        kind: 'text',
        headings: [],
        text: 'code: E1',
        language: 'en',
        tags: ['doc'],
        url: 'https://doc.example',
        tokens: 4,
      },
      {
        kind: 'text',
        headings: [],
        text: 'code: E2',
        language: 'en',
        tags: ['doc'],
        url: 'https://doc.example',
        tokens: 4,
      },
    ]);
  });

  it('keeps a long curated answer whole, and cuts one of book length as text', () => {
    const pair = (answer: string): Block => ({ type: 'faq', question: 'How?', answer, tags: [] });
    expect(split([pair(sentences(60).join(' '))])).toMatchObject([{ kind: 'faq' }]);
    const passages = split([pair(sentences(200).join(' '))]);
    expect(passages.every(({ kind, tokens }) => kind === 'text' && tokens <= PASSAGE_SIZE.most)).toBe(true);
    expect(passages[0]?.text).toMatch(/^How\?\n\nThe word/);
  });

  it('takes the language that the document names, else that of each passage', () => {
    const blocks = [heading(2, '退货'), text('三十天内。'), heading(2, 'Shipping'), text('Two days.')];
    expect(split(blocks).map(({ language }) => language)).toEqual(['zh', 'en']);
    expect(split(blocks, { language: 'zh', languageIsGiven: true }).map(({ language }) => language)).toEqual([
      'zh',
      'zh',
    ]);
  });
});

describe('any document', () => {
  const words = fc.array(
    fc.oneof(
      fc.constantFrom(
        '退货',
        '三十天，',
        '可以。',
        'the',
        'refund',
        'takes 3.5 days.',
        'Really?',
        '！',
        'https://a.example/b?c=d',
        '“好。”',
      ),
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.constantFrom('x'.repeat(3000), '长'.repeat(700)),
    ),
    { minLength: 1, maxLength: 40 },
  );
  const prose = words.map((parts) => parts.join(' ').replaceAll(/\s+/g, ' ').trim() || 'x');
  const block: fc.Arbitrary<Block> = fc.oneof(
    fc.record({ type: fc.constant('text' as const), text: prose }),
    fc.record({ type: fc.constant('heading' as const), level: fc.integer({ min: 1, max: 6 }), text: prose }),
    fc.record({
      type: fc.constant('list' as const),
      items: fc.array(
        prose.map((item) => `- ${item}`),
        { minLength: 1, maxLength: 5 },
      ),
    }),
    fc.record({
      type: fc.constant('table' as const),
      header: fc.array(prose, { minLength: 1, maxLength: 3 }),
      rows: fc.array(fc.array(prose, { minLength: 1, maxLength: 3 }), { maxLength: 5 }),
    }),
    fc.record({ type: fc.constant('record' as const), text: prose }),
    fc.record({
      type: fc.constant('faq' as const),
      question: prose,
      answer: prose,
      tags: fc.constant<string[]>([]),
    }),
  );
  const blocks = fc.array(block, { minLength: 1, maxLength: 12 });

  it('is cut alike every time, into passages that are never empty and never too large', () => {
    fc.assert(
      fc.property(blocks, (given) => {
        const passages = split(given);
        expect(split(given)).toEqual(passages);
        expect(passages.length).toBeGreaterThan(0);
        for (const passage of passages) {
          expect(passage.text.trim()).toBe(passage.text);
          expect(passage.text).not.toBe('');
          const most = passage.kind === 'faq' ? PASSAGE_SIZE.longestAnswer : PASSAGE_SIZE.most;
          expect(passage.tokens).toBeLessThanOrEqual(most);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('loses nothing: passages, without their overlap, are the paragraphs again', () => {
    fc.assert(
      fc.property(fc.array(prose, { minLength: 1, maxLength: 8 }), (paragraphs) => {
        const bare = (words: string): string => words.replaceAll(/\s+/g, '');
        const whole = bare(paragraphs.join(''));
        let covered = 0;
        for (const passage of split(paragraphs.map(text))) {
          const part = bare(passage.text);
          const start = findStart(whole, part, covered);
          expect(start).toBeGreaterThanOrEqual(0);
          covered = start + part.length;
        }
        expect(covered).toBe(whole.length);
      }),
      { numRuns: 60 },
    );
  });

  /** Where a passage starts so that it goes on without a gap: at what is covered, or before it by its overlap. */
  function findStart(whole: string, part: string, covered: number): number {
    for (let overlap = 0; overlap <= covered; overlap += 1) {
      if (part.length > overlap && whole.startsWith(part, covered - overlap)) return covered - overlap;
    }
    return -1;
  }

  it('loses no cell, item, answer or heading', () => {
    fc.assert(
      fc.property(blocks, (given) => {
        const characters = (words: string): string[] => [...words.replaceAll(/[\s|\\`#>-]/g, '')];
        const count = (all: string[]): Map<string, number> =>
          all.reduce((counts, one) => counts.set(one, (counts.get(one) ?? 0) + 1), new Map<string, number>());
        const expected = count(
          given.flatMap((one) => {
            if (one.type === 'list') return characters(one.items.join(''));
            if (one.type === 'table') return characters(one.rows.flat().join(''));
            if (one.type === 'faq') return characters(one.question + one.answer);
            return one.type === 'heading' ? [] : characters(one.text);
          }),
        );
        const found = count(
          split(given).flatMap((passage) => characters([...passage.headings, passage.text].join(''))),
        );
        for (const [character, times] of expected) {
          expect(found.get(character) ?? 0, character).toBeGreaterThanOrEqual(times);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('a whole file', () => {
  it('of the demo knowledge is cut into passages a person would cut', async () => {
    const path = new URL('../../knowledge/shop-support/zh/warranty-and-repair.md', import.meta.url);
    const passages = splitIntoPassages(
      await readDocument({ documentId: 'zh/warranty-and-repair.md', bytes: await readFile(path) }),
    );
    for (const { headings, language, tokens } of passages) {
      expect(headings).toHaveLength(1);
      expect(language).toBe('zh');
      expect(tokens).toBeGreaterThan(PASSAGE_SIZE.small);
    }
  });
});
