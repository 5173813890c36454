import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.js';
import { createDocumentReader } from '../../src/ingest/document-reader.js';
import { createIngestor, type Ingestor, type IngestorOptions } from '../../src/ingest/ingestor.js';
import type { KnowledgeBase } from '../../src/ingest/knowledge-base.js';
import { termKey, weighPassageTerms } from '../../src/retrieve/lexical-weights.js';
import { createLetterEmbedder, type LetterEmbedder } from '../fakes/letter-embedder.js';
import { createMemoryPassageIndex, type MemoryPassageIndex } from '../fakes/memory-passage-index.js';
import { sampleKnowledgeBase } from '../support/sample-knowledge-base.js';
import { silentLogger } from '../support/silent-logger.js';

const never = new AbortController().signal;
const reader = createDocumentReader();
const shop = sampleKnowledgeBase();
let index: MemoryPassageIndex;
let embedder: LetterEmbedder;
let reads: string[];

beforeEach(() => {
  index = createMemoryPassageIndex();
  embedder = createLetterEmbedder();
  reads = [];
});
afterAll(() => reader.close());

const start = (options: Partial<IngestorOptions> = {}): Ingestor =>
  createIngestor({
    index,
    embedder,
    reader: {
      ...reader,
      read: (job, given) => {
        reads.push(job.documentId);
        return reader.read(job, given);
      },
    },
    analyze: (text, { dictionary }) => [...text.toLowerCase().split(/\W+/), ...dictionary],
    logger: silentLogger,
    now: () => new Date('2026-11-21T10:00:00Z'),
    ...options,
  });
const upload = (
  ingestor: Ingestor,
  content: string | Uint8Array,
  documentId = 'en/a.md',
  knowledgeBase: KnowledgeBase = shop,
) => ingestor.ingestDocument({ knowledgeBase, documentId, content, origin: 'upload' }, { signal: never });

describe('ingesting a document', () => {
  it('indexes its passages with address, vector and terms', async () => {
    const result = await upload(start(), '---\ntags: [x]\n---\n# Returns\n\n## Deadline\n\nThirty days.');
    expect(result).toEqual({ documentId: 'en/a.md', status: 'added', passages: 1 });
    expect(await index.listDocuments('shop')).toEqual([
      {
        knowledgeBase: 'shop',
        documentId: 'en/a.md',
        title: 'Returns',
        language: 'en',
        tags: ['x'],
        origin: 'upload',
        contentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        passages: 1,
        updatedAt: '2026-11-21T10:00:00.000Z',
      },
    ]);
    const [indexed] = index.indexed('shop', 'en/a.md');
    expect(indexed?.passage).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      knowledgeBase: 'shop',
      documentId: 'en/a.md',
      title: 'Returns',
      headings: ['Deadline'],
      text: 'Thirty days.',
      kind: 'text',
      language: 'en',
      tags: ['x'],
      position: 0,
      tokens: 4,
      updatedAt: '2026-11-21T10:00:00.000Z',
    });
    expect(indexed?.terms).toEqual(weighPassageTerms('shop', ['returns', 'deadline', 'thirty', 'days', '']));
    expect(indexed?.vector).toHaveLength(8);
  });

  it('does nothing the second time, and replaces what has changed', async () => {
    const ingestor = start();
    await upload(ingestor, 'One.');
    expect(await upload(ingestor, 'One.')).toEqual({
      documentId: 'en/a.md',
      status: 'unchanged',
      passages: 1,
    });
    expect([index.writes, reads.length]).toEqual([1, 1]);
    expect(await upload(ingestor, 'Two.')).toMatchObject({ status: 'changed' });
    expect((await index.readDocument('shop', 'en/a.md')).map(({ text }) => text)).toEqual(['Two.']);
  });

  it('gives the same content the same id, and repeated content ids of its own', async () => {
    const source = '## A\n\nSame.\n\n## A\n\nSame.\n\n## B\n\nSame.';
    const ids = async (documentId = 'a.md', knowledgeBase = shop): Promise<string[]> => {
      await upload(start(), source, documentId, knowledgeBase);
      return (await index.readDocument(knowledgeBase.id, documentId)).map(({ id }) => id);
    };
    const first = await ids();
    expect(new Set(first).size).toBe(3);
    index = createMemoryPassageIndex();
    expect(await ids()).toEqual(first);
    const elsewhere = [...(await ids('b.md')), ...(await ids('a.md', { ...shop, id: 'other' }))];
    expect(new Set([...first, ...elsewhere]).size).toBe(9);
  });

  it('keeps the ids of passages that did not change', async () => {
    const ingestor = start();
    await upload(ingestor, '## A\n\nOne.\n\n## B\n\nTwo.');
    const [one] = await index.readDocument('shop', 'en/a.md');
    await upload(ingestor, '## New\n\nZero.\n\n## A\n\nOne.\n\n## B\n\nThree.');
    const after = await index.readDocument('shop', 'en/a.md');
    expect(after.map(({ id }) => id).indexOf(one?.id ?? '')).toBe(1);
  });

  it('notices a changed dictionary, since the terms change with it', async () => {
    const ingestor = start();
    await upload(ingestor, 'One.');
    const learned = { ...shop, dictionary: ['蓝牙配网'] };
    expect(await upload(ingestor, 'One.', 'en/a.md', learned)).toMatchObject({ status: 'changed' });
    expect(index.indexed('shop', 'en/a.md')[0]?.terms.keys).toContain(termKey('shop', '蓝牙配网'));
  });

  it('embeds in batches of 64, and goes without vectors where there is no embedder', async () => {
    const rows = Array.from({ length: 150 }, (_, row) => `{"question": "q${row}", "answer": "a${row}"}`).join(
      '\n',
    );
    await upload(start(), rows, 'a.jsonl');
    expect(embedder.batches).toEqual([64, 64, 22]);
    await upload(start({ embedder: null }), 'One.', 'b.md');
    expect(index.indexed('shop', 'b.md')[0]?.vector).toBeNull();
  });

  it('keeps the old passages where embedding fails', async () => {
    await upload(start(), 'One.');
    const down = { ...embedder, embed: async () => Promise.reject(new AppError('unavailable')) };
    await expect(upload(start({ embedder: down }), 'Two.')).rejects.toMatchObject({ code: 'unavailable' });
    expect((await index.readDocument('shop', 'en/a.md'))[0]?.text).toBe('One.');
  });

  it('takes typed text under any name', async () => {
    expect(await upload(start(), '# Note\n\nWords.', 'note')).toMatchObject({ status: 'added' });
    expect((await index.listDocuments())[0]?.title).toBe('Note');
  });

  it('works on one document at a time, so that the last one wins', async () => {
    const ingestor = start();
    const contents = Array.from({ length: 8 }, (_, version) => `Version ${version}.`);
    await Promise.all(contents.map((content) => upload(ingestor, content)));
    expect((await index.readDocument('shop', 'en/a.md'))[0]?.text).toBe('Version 7.');
    expect(
      await ingestor.deleteDocument({ knowledgeBase: 'shop', documentId: 'en/a.md' }, { signal: never }),
    ).toBe(true);
    expect(
      await ingestor.deleteDocument({ knowledgeBase: 'shop', documentId: 'en/a.md' }, { signal: never }),
    ).toBe(false);
  });

  it('stops where nobody waits', async () => {
    const stopped = AbortSignal.abort();
    const ingesting = start().ingestDocument(
      { knowledgeBase: shop, documentId: 'a.md', content: 'One.', origin: 'upload' },
      { signal: stopped },
    );
    await expect(ingesting).rejects.toMatchObject({ code: 'stopped' });
    expect(index.writes).toBe(0);
  });
});

describe('refusing a document', () => {
  it.each([
    '',
    '/etc/passwd',
    '../a.md',
    'a/../b.md',
    'a//b.md',
    './a.md',
    'a\0.md',
    `${'x'.repeat(600)}.md`,
  ])('does not take %j for a name', async (documentId) => {
    await expect(upload(start(), 'One.', documentId)).rejects.toMatchObject({ code: 'invalid' });
  });

  it('knows one spelling of a name only', async () => {
    await upload(start(), 'One.', 'folder\\cafe\u0301.md');
    expect((await index.listDocuments())[0]?.documentId).toBe('folder/café.md');
  });

  it('says which file cannot be read and why, and does not try the same content again', async () => {
    const ingestor = start();
    for (let time = 0; time < 2; time += 1) {
      await expect(upload(ingestor, Buffer.from('%PDF-x'), 'a.pdf')).rejects.toMatchObject({
        code: 'unreadable',
        message: 'a.pdf: this is not a valid PDF',
      });
    }
    expect(reads).toEqual(['a.pdf']);
  });

  it('does not take more than 32 MB', async () => {
    const huge = Buffer.alloc(32 * 1024 * 1024 + 1, 'a');
    await expect(upload(start(), huge)).rejects.toMatchObject({ code: 'too-large' });
    expect(reads).toEqual([]);
  });

  it('does not let an upload and a file of the folder replace each other', async () => {
    const ingestor = start();
    const fromFolder = (content: string, documentId: string) =>
      ingestor.ingestDocument(
        { knowledgeBase: shop, documentId, content, origin: 'folder' },
        { signal: never },
      );
    await fromFolder('One.', 'folder.md');
    await upload(ingestor, 'One.', 'upload.md');
    await expect(upload(ingestor, 'Two.', 'folder.md')).rejects.toMatchObject({ code: 'conflict' });
    await expect(fromFolder('Two.', 'upload.md')).rejects.toMatchObject({ code: 'conflict' });
    expect(index.writes).toBe(2);
  });
});

describe('indexing again', () => {
  const address = { knowledgeBase: shop, documentId: 'en/a.md' };

  it('gives new vectors and terms from the texts in the index', async () => {
    const ingestor = start();
    await upload(ingestor, '## A\n\nOne.\n\n## B\n\nTwo.');
    const before = index.indexed('shop', 'en/a.md');
    await index.prepare({ embedder: 'other', dimensions: 8, analyzer: '2' });
    expect(await ingestor.reindexDocument(address, { signal: never })).toBe(true);
    expect(index.indexed('shop', 'en/a.md')).toEqual(before);
    expect(reads).toHaveLength(1);
    expect(await ingestor.reindexDocument(address, { signal: never })).toBe(false);
  });

  it('has nothing to do for a document that has gone', async () => {
    expect(await start().reindexDocument(address, { signal: never })).toBe(false);
  });
});
