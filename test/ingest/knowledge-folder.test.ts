import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.js';
import { createDocumentReader } from '../../src/ingest/document-reader.js';
import { createIngestor, type Ingestor } from '../../src/ingest/ingestor.js';
import { createKnowledgeBaseRegistry } from '../../src/ingest/knowledge-base-registry.js';
import { createKnowledgeFolder, type FolderSyncOptions } from '../../src/ingest/knowledge-folder.js';
import type { SyncProgress } from '../../src/ingest/sync-knowledge-folder.js';
import { createLetterEmbedder } from '../fakes/letter-embedder.js';
import { createMemoryPassageIndex, type MemoryPassageIndex } from '../fakes/memory-passage-index.js';
import { silentLogger } from '../support/silent-logger.js';

const reader = createDocumentReader();
const never = new AbortController().signal;
let dir: string;
let index: MemoryPassageIndex;
let ingestor: Ingestor;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'askbase-knowledge-'));
  index = createMemoryPassageIndex();
  const embedder = createLetterEmbedder();
  ingestor = createIngestor({ index, embedder, reader, analyze: (text) => [text], logger: silentLogger });
});
afterEach(() => rm(dir, { recursive: true, force: true }));
afterAll(() => reader.close());

const registry = createKnowledgeBaseRegistry();
const sync = (options: Partial<FolderSyncOptions> = {}) =>
  createKnowledgeFolder({ dir, index, ingestor, registry, prepareIndex: async () => false }).sync({
    signal: never,
    ...options,
  });
const ids = async (): Promise<string[]> =>
  (await index.listDocuments()).map(({ knowledgeBase, documentId }) => `${knowledgeBase}/${documentId}`);

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(dir, path)), { recursive: true });
  await writeFile(join(dir, path), content);
}

const nothing = { added: 0, changed: 0, unchanged: 0, removed: 0, failed: [], reindexed: 0 };

describe('following the knowledge folder', () => {
  it('adds, changes and removes what the files say, and leaves the rest alone', async () => {
    await write('shop/kb.yaml', 'title: {en: Shop}\n');
    await write('shop/en/a.md', 'One.');
    await write('shop/en/deep/er/b.txt', 'Two.');
    await write('shop/zh/问答.csv', '问题,答案\n怎么退？,三十天内。\n');
    await write('other/c.html', '<p>Three.</p>');
    expect(await sync()).toEqual({ ...nothing, added: 4 });
    expect(await ids()).toEqual([
      'other/c.html',
      'shop/en/a.md',
      'shop/en/deep/er/b.txt',
      'shop/zh/问答.csv',
    ]);

    await write('shop/en/a.md', 'One more.');
    await rm(join(dir, 'shop/en/deep'), { recursive: true });
    await rename(join(dir, 'shop/zh'), join(dir, 'shop/cn'));
    expect(await sync()).toEqual({ ...nothing, added: 1, changed: 1, unchanged: 1, removed: 2 });
    expect(await ids()).toEqual(['other/c.html', 'shop/cn/问答.csv', 'shop/en/a.md']);

    const { writes } = index;
    expect(await sync()).toEqual({ ...nothing, unchanged: 3 });
    expect(index.writes).toBe(writes);

    await rm(join(dir, 'other'), { recursive: true });
    expect(await sync()).toEqual({ ...nothing, unchanged: 2, removed: 1 });
  });

  it('reports files that cannot be read, with reasons, and goes on', async () => {
    await write('shop/good.md', 'Words.');
    await write('shop/broken.pdf', '%PDF-x');
    await write('shop/empty.md', '');
    await write('shop/slides.pptx', 'x');
    await write('shop/huge.txt', Buffer.alloc(32 * 1024 * 1024 + 1, 'a'));
    await write('bad/kb.yaml', 'colour: red');
    await write('bad/a.md', 'Words.');
    expect(await sync()).toEqual({
      ...nothing,
      added: 1,
      failed: [
        { file: 'bad/kb.yaml', reason: expect.stringContaining('colour') },
        { file: 'shop/broken.pdf', reason: 'this is not a valid PDF' },
        { file: 'shop/empty.md', reason: 'the file is empty' },
        { file: 'shop/huge.txt', reason: expect.stringContaining('32 MB') },
        { file: 'shop/slides.pptx', reason: expect.stringContaining('not supported') },
      ],
    });
  });

  it('keeps what a file said before it was broken, and the documents of a broken kb.yaml', async () => {
    await write('shop/a.md', 'Words.');
    await sync();
    await write('shop/a.md', Buffer.from([0xff, 0xfe, 0x00]));
    expect(await sync()).toMatchObject({ removed: 0, failed: [{ file: 'shop/a.md' }] });
    await write('shop/kb.yaml', 'title: 7');
    expect(await sync()).toMatchObject({ removed: 0, failed: [{ file: 'shop/kb.yaml' }] });
    expect(await ids()).toEqual(['shop/a.md']);
  });

  it('removes nothing where the knowledge folder or a part of it cannot be read', async () => {
    await write('shop/closed/a.md', 'Words.');
    await sync();
    await rename(dir, `${dir}-away`);
    expect(await sync()).toMatchObject({ removed: 0, failed: [{ file: '' }] });
    await rename(`${dir}-away`, dir);
    await chmod(join(dir, 'shop/closed'), 0);
    const summary = await sync();
    await chmod(join(dir, 'shop/closed'), 0o755);
    // The superuser may read everything: then there is nothing to report.
    expect(summary.removed).toBe(0);
    expect(await ids()).toEqual(['shop/closed/a.md']);
  });

  it('never touches uploads', async () => {
    const knowledgeBase = registry.ensure('notes');
    const upload = { knowledgeBase, content: 'Uploaded.', origin: 'upload' as const };
    await ingestor.ingestDocument({ ...upload, documentId: 'a.md' }, { signal: never });
    await ingestor.ingestDocument({ ...upload, documentId: 'b.md' }, { signal: never });
    await write('notes/a.md', 'From the folder.');
    expect(await sync()).toEqual({
      ...nothing,
      failed: [{ file: 'notes/a.md', reason: 'an uploaded document has this name already' }],
    });
    expect((await index.readDocument('notes', 'a.md'))[0]?.text).toBe('Uploaded.');
  });

  it('passes over hidden files, pictures and locks, and does not follow links out of the folder', async () => {
    await write('shop/.hidden.md', 'x');
    await write('shop/.git/a.md', 'x');
    await write('shop/picture.png', 'x');
    await write('shop/~$a.docx', 'x');
    await write('shop/a.md', 'Words.');
    await write('outside.md', 'Secret.');
    await symlink(join(dir, 'shop/a.md'), join(dir, 'shop/inside.md'));
    await symlink(join(dir, 'outside.md'), join(dir, 'shop/outside.md'));
    await symlink(dir, join(dir, 'shop/loop'));
    await symlink(join(dir, 'none'), join(dir, 'shop/nowhere.md'));
    expect(await sync()).toEqual({
      ...nothing,
      added: 2,
      failed: [
        { file: 'shop/loop', reason: 'it is a link out of the folder' },
        { file: 'shop/nowhere.md', reason: 'it is a link to nowhere (ENOENT)' },
        { file: 'shop/outside.md', reason: 'it is a link out of the folder' },
      ],
    });
    expect(await ids()).toEqual(['shop/a.md', 'shop/inside.md']);
  });

  it('composes names, and takes one of two files whose names compose to the same', async () => {
    await write('shop/cafe\u0301.md', 'One.');
    await write('shop/caf\u00e9.md', 'Two.');
    const { added, failed } = await sync();
    expect([added, failed]).toEqual([1, [{ file: 'shop/café.md', reason: 'two files have this name' }]]);
    expect(await ids()).toEqual(['shop/café.md']);
  });

  it('reports progress up to the last file', async () => {
    for (const name of ['a', 'b', 'c']) await write(`shop/${name}.md`, name);
    const progress: SyncProgress[] = [];
    await sync({ onProgress: (step) => progress.push(step) });
    expect(progress.map(({ done, total }) => [done, total])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    expect(progress.map(({ file }) => file).sort()).toEqual(['shop/a.md', 'shop/b.md', 'shop/c.md']);
    expect(progress.every(({ rate }) => rate > 0)).toBe(true);
  });

  it('looks at one knowledge base where it is asked to', async () => {
    await write('a/a.md', 'Words.');
    await write('b/b.md', 'Words.');
    await write('c/kb.yaml', 'title: 7');
    expect(await sync({ knowledgeBase: 'b' })).toEqual({ ...nothing, added: 1 });
    expect(await ids()).toEqual(['b/b.md']);
  });

  it('tries a file again where an engine was busy', async () => {
    await write('shop/a.md', 'Words.');
    const embed = createLetterEmbedder().embed;
    let calls = 0;
    const embedder = {
      ...createLetterEmbedder(),
      embed: ((texts, options) => {
        calls += 1;
        return calls === 1 ? Promise.reject(new AppError('overloaded')) : embed(texts, options);
      }) satisfies typeof embed,
    };
    ingestor = createIngestor({ index, embedder, reader, analyze: (text) => [text], logger: silentLogger });
    expect(await sync()).toEqual({ ...nothing, added: 1 });
  });

  it('stops when it is told to', async () => {
    await write('shop/a.md', 'Words.');
    await expect(sync({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'stopped' });
  });
});

describe('indexing again', () => {
  it('reads files again and takes uploads from the index, after another embedder or analyzer', async () => {
    await write('shop/a.md', 'From the folder.');
    await sync();
    const upload = {
      knowledgeBase: registry.ensure('notes'),
      documentId: 'n.md',
      content: 'Uploaded.',
      origin: 'upload' as const,
    };
    await ingestor.ingestDocument(upload, { signal: never });
    await index.prepare({ embedder: 'other', dimensions: 8, analyzer: '2' });
    expect(await sync()).toEqual({ ...nothing, changed: 1, reindexed: 1 });
    expect(await sync()).toEqual({ ...nothing, unchanged: 1 });
    for (const [knowledgeBase, documentId] of [
      ['shop', 'a.md'],
      ['notes', 'n.md'],
    ] as const) {
      expect(index.indexed(knowledgeBase, documentId)[0]).toMatchObject({ vector: expect.any(Float32Array) });
    }
  });

  it('gives uploads the terms of a changed dictionary', async () => {
    await write('shop/a.md', 'Words.');
    await sync();
    const upload = {
      knowledgeBase: registry.ensure('shop'),
      documentId: 'u.md',
      content: 'Uploaded.',
      origin: 'upload' as const,
    };
    await ingestor.ingestDocument(upload, { signal: never });
    await write('shop/kb.yaml', 'title: {en: Shop}\ndictionary: [蓝牙配网]\n');
    expect(await sync()).toEqual({ ...nothing, changed: 1, reindexed: 1 });
    expect(await sync()).toEqual({ ...nothing, unchanged: 1 });
  });
});
