import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDocumentReader } from '../../src/ingest/document-reader.js';
import { createIngestor } from '../../src/ingest/ingestor.js';
import { createKnowledgeBaseRegistry } from '../../src/ingest/knowledge-base-registry.js';
import { createKnowledgeFolder } from '../../src/ingest/knowledge-folder.js';
import { PASSAGE_SIZE } from '../../src/ingest/passage-size.js';
import { createAnalyzer } from '../../src/retrieve/analyzer.js';
import type { PassageIndex } from '../../src/retrieve/passage-index.js';
import { createSqlitePassageIndex } from '../../src/retrieve/sqlite-passage-index.js';
import { createLetterEmbedder } from '../fakes/letter-embedder.js';
import { silentLogger } from '../support/silent-logger.js';

const signal = new AbortController().signal;
const embedder = createLetterEmbedder(16);
const analyzer = createAnalyzer();
const reader = createDocumentReader();
const registry = createKnowledgeBaseRegistry();
let folder: string;
let index: PassageIndex;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'askbase-shipped-'));
  index = await createSqlitePassageIndex({ file: join(folder, 'passages.db') });
});
afterAll(async () => {
  await Promise.all([index.close(), reader.close()]);
  await rm(folder, { recursive: true, force: true });
});

const sync = () =>
  createKnowledgeFolder({
    dir: fileURLToPath(new URL('../../knowledge', import.meta.url)),
    index,
    registry,
    prepareIndex: async () => false,
    ingestor: createIngestor({ index, embedder, reader, analyze: analyzer.analyze, logger: silentLogger }),
  }).sync({ signal });
const prepare = (model: string) =>
  index.prepare({ embedder: model, dimensions: embedder.dimensions, analyzer: analyzer.version });

describe('the knowledge that ships, in a real index', () => {
  it('is read whole, changes nothing the second time, and is made anew for another model', {
    timeout: 120_000,
  }, async () => {
    await prepare('first');
    const first = await sync();
    expect(first).toMatchObject({ failed: [], changed: 0, unchanged: 0, removed: 0 });
    expect(first.added).toBeGreaterThanOrEqual(25);
    const before = await index.describe();
    expect(before.passages).toBeGreaterThanOrEqual(150);
    expect(before.knowledgeBases.map(({ knowledgeBase }) => knowledgeBase)).toEqual(
      registry.list().map(({ id }) => id),
    );

    expect(await sync()).toMatchObject({ added: 0, changed: 0, unchanged: first.added, reindexed: 0 });
    expect(await prepare('second')).toBe(true);
    expect(await sync()).toMatchObject({ added: 0, changed: first.added, reindexed: 0 });
    expect(await prepare('second')).toBe(false);
    expect((await index.describe()).passages).toBe(before.passages);
  });

  it('has passages of a good size, with a language and headings', async () => {
    for (const { knowledgeBase, documentId } of await index.listDocuments()) {
      for (const passage of await index.readDocument(knowledgeBase, documentId)) {
        expect(passage.tokens).toBeLessThanOrEqual(PASSAGE_SIZE.most);
        expect(passage.language, passage.text).toBe(documentId.startsWith('zh/') ? 'zh' : 'en');
      }
    }
  });
});
