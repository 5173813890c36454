import { afterAll, describe, expect, it } from 'vitest';
import { createDocumentReader, type DocumentReader } from '../../src/ingest/document-reader.js';
import { makeDocx } from '../support/documents/docx.js';

const readers: DocumentReader[] = [];
const startReader = (options?: Parameters<typeof createDocumentReader>[0]): DocumentReader => {
  const reader = createDocumentReader(options);
  readers.push(reader);
  return reader;
};
const never = new AbortController().signal;
const bytesOf = (text: string): Uint8Array => Buffer.from(text);

afterAll(() => Promise.all(readers.map((reader) => reader.close())));

/** Markdown that its parser needs many minutes for. */
const endless = bytesOf(`${'['.repeat(100_000)}\n`.repeat(20));

describe('createDocumentReader', () => {
  const reader = startReader();

  it('reads a file in another process and gives its passages', async () => {
    const docx = makeDocx([{ heading: 1, text: '手册' }, { paragraph: '三十天内可以退货。' }]);
    expect(await reader.read({ documentId: 'a.docx', bytes: docx }, { signal: never })).toEqual({
      title: '手册',
      language: 'zh',
      tags: [],
      passages: [
        { headings: [], text: '三十天内可以退货。', kind: 'text', language: 'zh', tags: [], tokens: 9 },
      ],
    });
  });

  it('leaves the bytes to their owner', async () => {
    const bytes = bytesOf('Words.');
    await reader.read({ documentId: 'a.md', bytes }, { signal: never });
    expect(Buffer.from(bytes).toString()).toBe('Words.');
  });

  it('reads text without an extension where it is told how', async () => {
    const job = { documentId: 'note', bytes: bytesOf('# Note\n\nWords.') };
    await expect(reader.read(job, { signal: never })).rejects.toThrow('not supported');
    expect(await reader.read({ ...job, plainFormat: 'markdown' }, { signal: never })).toMatchObject({
      title: 'Note',
    });
  });

  it('names file and reason of what it cannot read, and goes on', async () => {
    const broken = reader.read({ documentId: 'a/b.pdf', bytes: bytesOf('%PDF-x') }, { signal: never });
    await expect(broken).rejects.toMatchObject({
      code: 'unreadable',
      message: 'a/b.pdf: this is not a valid PDF',
    });
    expect(
      await reader.read({ documentId: 'a.md', bytes: bytesOf('Words.') }, { signal: never }),
    ).toMatchObject({
      passages: [{ text: 'Words.' }],
    });
  });

  it('refuses a document of more passages than are kept', async () => {
    const bytes = bytesOf(Array.from({ length: 20_001 }, (_, index) => `{"a": ${index}}`).join('\n'));
    const refusal = reader.read({ documentId: 'a.jsonl', bytes }, { signal: never });
    await expect(refusal).rejects.toThrow('20001 passages');
  });

  it('gives up on a file that takes too long, and reads the next one', async () => {
    const impatient = startReader({ timeLimitMs: 3000 });
    const hanging = impatient.read({ documentId: 'slow.md', bytes: endless }, { signal: never });
    const next = impatient.read({ documentId: 'next.md', bytes: bytesOf('Words.') }, { signal: never });
    const [slow, quick] = await Promise.allSettled([hanging, next]);
    expect(slow).toMatchObject({
      reason: { code: 'unreadable', message: expect.stringContaining('longer than 3') },
    });
    expect(quick).toMatchObject({ value: { title: 'next' } });
  });

  it('survives a file that breaks its process', async () => {
    const fragile = startReader({ heapLimitMb: 40 });
    const row = `| ${'cell | '.repeat(2000)}\n`;
    const huge = bytesOf(`${row}| ${'--- | '.repeat(2000)}\n${row.repeat(400)}`);
    await expect(
      fragile.read({ documentId: 'huge.md', bytes: huge }, { signal: never }),
    ).rejects.toMatchObject({
      code: 'unreadable',
      message: expect.stringContaining('memory'),
    });
  });

  it('stops at once where nobody waits any more', async () => {
    const waiting = new AbortController();
    const reading = reader.read({ documentId: 'slow.md', bytes: endless }, { signal: waiting.signal });
    const queued = reader.read({ documentId: 'queued.md', bytes: endless }, { signal: waiting.signal });
    waiting.abort();
    const stopped = { status: 'rejected', reason: { code: 'stopped' } };
    expect(await Promise.allSettled([reading, queued])).toMatchObject([stopped, stopped]);
    expect(
      await reader.read({ documentId: 'a.md', bytes: bytesOf('Words.') }, { signal: never }),
    ).toMatchObject({
      title: 'a',
    });
  });

  it('ends what is being read and what waits when it is closed', async () => {
    const closing = startReader();
    const reads = ['a.md', 'b.md'].map((documentId) =>
      closing.read({ documentId, bytes: endless }, { signal: never }),
    );
    const settled = Promise.allSettled(reads);
    await closing.close();
    const stopped = { status: 'rejected', reason: { code: 'stopped' } };
    expect(await settled).toMatchObject([stopped, stopped]);
  });
});
