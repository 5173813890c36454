import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSqlitePassageIndex } from '../../src/retrieve/sqlite-passage-index.js';
import { passageIndexContract } from '../contracts/passage-index.js';
import { killAfterLines } from '../support/kill-after-lines.js';
import { alike, documentOf, indexed, passageOf } from '../support/passages.js';

passageIndexContract('sqlite', async () => ({
  newPlace: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'askbase-index-'));
    return {
      open: () => createSqlitePassageIndex({ file: join(folder, 'data', 'index.db') }),
      remove: () => rm(folder, { recursive: true }),
    };
  },
}));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'askbase-index-'));
});
afterEach(() => rm(folder, { recursive: true }));

const signal = new AbortController().signal;
const FINGERPRINT = { embedder: 'tiny', dimensions: 2, analyzer: 'askbase-1' };

test('loses nothing it acknowledged when the process is killed in the middle of writing, again and again', async () => {
  const file = join(folder, 'index.db');
  let written = 0;
  for (let round = 1; round <= 20; round += 1) {
    const lines = await killAfterLines(
      './passage-writer-child',
      [file, String(written)],
      1 + ((round * 7) % 13),
    );
    written = Number(lines.at(-1)) + 1;
    const index = await createSqlitePassageIndex({ file });
    const documents = new Set((await index.listDocuments('shop')).map(({ documentId }) => documentId));
    for (let number = 0; number < written; number += 1) expect(documents).toContain(`${number}.md`);
    // What was under way is there whole or not at all.
    for (const documentId of documents) expect(await index.readDocument('shop', documentId)).toHaveLength(2);
    const { lexical, dense } = await index.search(
      { lexical: alike(['kettl']), dense: Float32Array.of(1, 0), madeWith: FINGERPRINT },
      { knowledgeBase: 'shop', limit: 1000, signal },
    );
    expect(lexical).toHaveLength(2 * documents.size);
    expect(dense).toHaveLength(2 * documents.size);
    await index.close();
  }
}, 600_000);

test('follows what another process of ours writes to the same file', async () => {
  const file = join(folder, 'index.db');
  const server = await createSqlitePassageIndex({ file });
  await server.prepare(FINGERPRINT);
  const commandLine = await createSqlitePassageIndex({ file });
  const passage = passageOf('shop', { text: 'kettle' });
  const find = async (): Promise<number> => {
    const { lexical } = await server.search(
      { lexical: alike(['kettl']), dense: null, madeWith: FINGERPRINT },
      { knowledgeBase: 'shop', limit: 9, signal },
    );
    return lexical.length;
  };
  expect(await find()).toBe(0);
  await commandLine.replaceDocument(documentOf(passage), [indexed(passage)], { signal });
  expect(await find()).toBe(1);
  await commandLine.deleteDocument('shop', passage.documentId);
  expect(await find()).toBe(0);
  await Promise.all([server.close(), commandLine.close()]);
});

test('answers searches while a large document is being written', async () => {
  const index = await createSqlitePassageIndex({ file: join(folder, 'index.db') });
  await index.prepare(FINGERPRINT);
  const small = passageOf('shop', { text: 'kettle' });
  await index.replaceDocument(documentOf(small), [indexed(small, [1, 0])], { signal });
  const large = Array.from({ length: 3000 }, (_, position) =>
    indexed(passageOf('shop', { documentId: 'large.md', text: `parcel ${position}`, position }), [0, 1]),
  );
  const order: string[] = [];
  const writing = index
    .replaceDocument(documentOf(large[0]?.passage ?? small), large, { signal })
    .then(() => order.push('written'));
  await index.search(
    { lexical: alike(['kettl']), dense: null, madeWith: FINGERPRINT },
    { knowledgeBase: 'shop', limit: 1, signal },
  );
  order.push('searched');
  await writing;
  expect(order).toEqual(['searched', 'written']);
  await index.close();
});

test('a write that is refused leaves those alone that are committed with it', async () => {
  const index = await createSqlitePassageIndex({ file: join(folder, 'index.db') });
  await index.prepare(FINGERPRINT);
  const outcomes = await Promise.allSettled(
    [2, 3, 2, 2].map((dimensions, number) => {
      const passage = passageOf('shop', { documentId: `${number}.md`, text: `kettle ${number}` });
      const vector = Array.from({ length: dimensions }, () => 1);
      return index.replaceDocument(documentOf(passage), [indexed(passage, vector)], { signal });
    }),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect((await index.listDocuments()).map(({ documentId }) => documentId)).toEqual(['0.md', '2.md', '3.md']);
  await index.close();
});

test.each([
  ['is no database', async (file: string) => writeFile(file, 'this is not a database'.repeat(1000))],
  ['is a folder', async (file: string) => mkdir(file)],
])('says why it cannot open a file that %s', async (_, spoil) => {
  const file = join(folder, 'index.db');
  await spoil(file);
  await expect(createSqlitePassageIndex({ file })).rejects.toMatchObject({
    name: 'AppError',
    code: 'unavailable',
    message: expect.stringMatching(/not an SQLite database|cannot be opened/),
  });
});

test('refuses a file that a newer version wrote', async () => {
  const file = join(folder, 'index.db');
  await (await createSqlitePassageIndex({ file })).close();
  const { DatabaseSync } = await import('@photostructure/sqlite');
  const database = new DatabaseSync(file);
  database.exec('PRAGMA user_version = 999');
  database.close();
  await expect(createSqlitePassageIndex({ file })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('newer version'),
    retryable: false,
  });
});

test('asks to be prepared before it is written to, and takes no NUL in a document id', async () => {
  const index = await createSqlitePassageIndex({ file: join(folder, 'index.db') });
  const passage = passageOf('shop');
  const write = (documentId: string): Promise<void> =>
    index.replaceDocument({ ...documentOf(passage), documentId }, [indexed(passage)], { signal });
  await expect(write('a.md')).rejects.toMatchObject({ code: 'conflict' });
  await index.prepare(FINGERPRINT);
  await expect(write('a\0b.md')).rejects.toMatchObject({ code: 'invalid' });
  expect(await index.listDocuments()).toEqual([]);
  await index.close();
});
