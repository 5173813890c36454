import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type FileRecord, readFileRecords } from '../../src/ingest/file-records.js';
import { readDocument } from '../../src/ingest/read-document.js';

const dir = mkdtempSync(join(tmpdir(), 'askbase-records-'));
afterAll(() => rmSync(dir, { recursive: true }));

async function recordsOf(name: string, content: string | Uint8Array): Promise<FileRecord[]> {
  const path = join(dir, name);
  writeFileSync(path, content);
  const records = [];
  for await (const record of readFileRecords(path)) records.push(record);
  return records;
}

describe('the records of a file', () => {
  it('are its lines, with their numbers and where they end', async () => {
    const [first, second] = ['{"a": "水壶"}', '{"a": 2}'];
    expect(await recordsOf('a.jsonl', `${first}\r\n\n  \n${second}`)).toEqual([
      { number: 1, content: { json: `${first}\r` }, bytesRead: 17 },
      { number: 4, content: { json: second }, bytesRead: 29 },
    ]);
    expect(await recordsOf('empty.jsonl', '')).toEqual([]);
  });

  it('are read across the parts that the disk gives, characters of several bytes too', async () => {
    const lines = Array.from({ length: 5000 }, (_, number) => `{"text": "${'水壶'.repeat(number % 50)}"}`);
    const records = await recordsOf('long.jsonl', `\uFEFF${lines.join('\n')}\n`);
    expect(records.map(({ content }) => content)).toEqual(lines.map((json) => ({ json })));
  });

  it('may be too long, and are passed over then', async () => {
    const huge = 'x'.repeat(5 * 1024 * 1024);
    const records = await recordsOf('huge.jsonl', `{}\n${huge}\n{}`);
    expect(records.map(({ content }) => content)).toEqual([
      { json: '{}' },
      { problem: 'it has more than 4 million characters' },
      { json: '{}' },
    ]);
    expect(records.at(-1)?.bytesRead).toBe(huge.length + 6);
  });

  it('are the rows of a table, by the names of its columns', async () => {
    const table = 'id;question;\n7;"How; when?";x\n\n8;Why;y\n';
    const records = await recordsOf('a.csv', table);
    expect(records).toEqual([
      {
        number: 1,
        content: { json: '{"id":"7","question":"How; when?","column 3":"x"}' },
        bytesRead: table.length,
      },
      { number: 2, content: { json: '{"id":"8","question":"Why","column 3":"y"}' }, bytesRead: table.length },
    ]);
  });

  it('are refused where they are not UTF-8, or the file is not there', async () => {
    await expect(recordsOf('gbk.jsonl', Uint8Array.of(0x7b, 0xc4, 0xe3, 0x7d))).rejects.toMatchObject({
      code: 'unreadable',
      message: expect.stringContaining('UTF-8'),
    });
    await expect(readFileRecords(join(dir, 'none.jsonl')).next()).rejects.toMatchObject({
      code: 'unreadable',
      message: 'it cannot be read (ENOENT)',
    });
  });
});

describe('a record', () => {
  const read = (record: object) =>
    readDocument({
      documentId: 'shop/articles.jsonl/7.md',
      bytes: Buffer.from(JSON.stringify(record)),
      format: 'record',
    });

  it('is a document: its text, then what else it says, with its own title, address, tags and language', async () => {
    const record = {
      _id: 7,
      title: 'Kettles',
      text: 'First.\n\nSecond.',
      price: 12,
      metadata: {},
      url: 'https://example.com/7',
      tags: ['kitchen', 'new'],
      language: 'zh-CN',
    };
    expect(await read(record)).toEqual({
      title: 'Kettles',
      url: 'https://example.com/7',
      tags: ['kitchen', 'new'],
      language: 'zh',
      languageIsGiven: true,
      blocks: [
        { type: 'text', text: 'First.' },
        { type: 'text', text: 'Second.' },
        { type: 'record', text: 'price: 12' },
      ],
    });
  });

  it('is a curated pair where it has a question and an answer, and has the name of its file else', async () => {
    expect(await read({ question: '多久?', answer: '两天。' })).toMatchObject({
      title: 'articles',
      language: 'zh',
      blocks: [{ type: 'faq', question: '多久?', answer: '两天。' }],
    });
  });

  it('needs a text', async () => {
    await expect(read({ id: 7, title: 'Nothing' })).rejects.toThrow('there is no text in it');
  });
});
