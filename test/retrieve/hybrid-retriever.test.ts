import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError } from '../../src/errors.js';
import { type KnowledgeBase, knowledgeBaseConfigSchema } from '../../src/ingest/knowledge-base.js';
import { createAnalyzer } from '../../src/retrieve/analyzer.js';
import type { Embedder } from '../../src/retrieve/embedder.js';
import { createRetriever } from '../../src/retrieve/hybrid-retriever.js';
import { weighPassageTerms } from '../../src/retrieve/lexical-weights.js';
import type { IndexFingerprint, PassageIndex } from '../../src/retrieve/passage-index.js';
import { createSqlitePassageIndex } from '../../src/retrieve/sqlite-passage-index.js';
import type { Logger } from '../../src/telemetry/logger.js';
import type { Question } from '../../src/types.js';
import { documentOf, passageOf, unit } from '../support/passages.js';

const analyzer = createAnalyzer();
const signal = new AbortController().signal;
const knowledgeBase: KnowledgeBase = {
  id: 'shop',
  ...knowledgeBaseConfigSchema.parse({ title: { en: 'Shop' }, synonyms: [['退货', 'return']] }),
};
const question = (standalone: string): Question => ({ text: 'and then?', standalone, language: 'en' });

/** Embeds by a table; the kind is part of the key. */
function embedderOf(table: Record<string, number[]>): Embedder {
  return {
    model: 'table',
    dimensions: 2,
    embed: async (texts, { kind }) => texts.map((text) => unit(table[`${kind}: ${text}`] ?? [1, 1])),
  };
}
const broken: Embedder = {
  ...embedderOf({}),
  embed: async () => {
    throw new AppError('unavailable', 'The inference process is gone.');
  },
};

let folder: string;
let index: PassageIndex;
let warnings: string[];
const logger: Logger = {
  error: () => undefined,
  warn: (message) => warnings.push(message),
  info: () => undefined,
  debug: () => undefined,
};

beforeEach(async () => {
  warnings = [];
  folder = await mkdtemp(join(tmpdir(), 'askbase-retriever-'));
  index = await createSqlitePassageIndex({ file: join(folder, 'index.db') });
  await index.prepare({ embedder: 'table', dimensions: 2, analyzer: analyzer.version });
  for (const [documentId, text, vector] of [
    ['words.md', 'Sending things back: 退货须知', [0, 1]],
    ['meaning.md', 'Bring it to the counter', [1, 0]],
    ['both.md', 'How to return a kettle', [1, 0.1]],
  ] as const) {
    const passage = passageOf('shop', { documentId, text });
    const terms = weighPassageTerms('shop', analyzer.analyze(text, knowledgeBase));
    await index.replaceDocument(documentOf(passage), [{ passage, vector: unit(vector), terms }], { signal });
  }
});
afterEach(async () => {
  await index.close();
  await rm(folder, { recursive: true });
});

test('searches by words and by meaning of the standalone question, and puts first what both found', async () => {
  const embedder = embedderOf({ 'query: return it': [1, 0] });
  const retrieve = createRetriever({ index, embedderOf: async () => embedder, analyzer, logger });
  const { candidates, degraded } = await retrieve(question('return it'), { knowledgeBase, signal });
  expect(candidates.map(({ passage }) => passage.documentId)).toEqual(['both.md', 'words.md', 'meaning.md']);
  expect(candidates[0]?.scores).toMatchObject({
    lexical: { rank: 1 },
    dense: { rank: 2 },
    fused: { rank: 1 },
  });
  expect(degraded).toEqual([]);
});

test.each([
  ['without an embedder', null, 0],
  ['with a broken embedder', broken, 1],
])('searches by words alone %s, and says so', async (_, embedder, expectedWarnings) => {
  const retrieve = createRetriever({ index, embedderOf: async () => embedder, analyzer, logger });
  const { candidates, degraded } = await retrieve(question('return'), { knowledgeBase, signal });
  expect(candidates.map(({ scores }) => scores.dense)).toEqual([undefined, undefined]);
  expect(degraded).toEqual(['dense']);
  expect(warnings).toHaveLength(expectedWarnings);
});

test('passes the filter on and keeps to its limits', async () => {
  const embedder = embedderOf({});
  const retrieve = createRetriever({
    index,
    embedderOf: async () => embedder,
    analyzer,
    logger,
    limitPerBranch: 2,
    candidates: 1,
  });
  const filter = { documentIds: ['meaning.md', 'words.md'] };
  const { candidates } = await retrieve(question('counter'), { knowledgeBase, filter, signal });
  expect(candidates.map(({ passage }) => passage.documentId)).toEqual(['meaning.md']);
});

test('stops where the question was stopped, instead of searching by words alone', async () => {
  const controller = new AbortController();
  const embedder: Embedder = {
    ...embedderOf({}),
    embed: async () => {
      controller.abort();
      throw new AppError('stopped');
    },
  };
  const retrieve = createRetriever({ index, embedderOf: async () => embedder, analyzer, logger });
  await expect(
    retrieve(question('return'), { knowledgeBase, signal: controller.signal }),
  ).rejects.toMatchObject({ code: 'stopped' });
  expect(warnings).toEqual([]);
});

test('throws what the index throws', async () => {
  const unreachable = {
    search: () => Promise.reject(new AppError('unavailable')),
    searchedWith: () => index.searchedWith(),
  };
  const retrieve = createRetriever({ index: unreachable, embedderOf: async () => null, analyzer, logger });
  await expect(retrieve(question('return'), { knowledgeBase, signal })).rejects.toMatchObject({
    code: 'unavailable',
  });
});

test('embeds the question with what the index was made with, and does without terms that it has none of', async () => {
  const former = embedderOf({ 'query: counter': [1, 0] });
  const asked: unknown[] = [];
  const retrieve = createRetriever({
    index,
    embedderOf: async (made) => {
      asked.push(made);
      return former;
    },
    analyzer: { ...analyzer, version: 'askbase-next' },
    logger,
  });
  const { candidates, degraded } = await retrieve(question('counter'), { knowledgeBase, signal });
  expect(asked).toEqual([{ embedder: 'table', dimensions: 2, analyzer: analyzer.version }]);
  expect(candidates[0]?.passage.documentId).toBe('meaning.md');
  expect(candidates.map(({ scores }) => scores.lexical)).toEqual([undefined, undefined, undefined]);
  expect(degraded).toEqual(['lexical']);
});

test('asks again where the index goes over to another model between embedding and searching', async () => {
  const larger = { embedder: 'larger', dimensions: 3, analyzer: analyzer.version };
  const embedders = new Map([
    ['table', embedderOf({})],
    ['larger', { ...embedderOf({}), embed: async () => [unit([1, 0, 0])] }],
  ]);
  let asked = 0;
  const retrieve = createRetriever({
    index,
    embedderOf: async ({ embedder }) => {
      asked += 1;
      if (asked === 1) await goOver(larger);
      return embedders.get(embedder) ?? null;
    },
    analyzer,
    logger,
  });
  const { candidates, degraded } = await retrieve(question('anything'), { knowledgeBase, signal });
  expect(asked).toBe(2);
  expect(candidates).toHaveLength(3);
  expect(degraded).toEqual([]);
});

test('is unavailable before the index was ever made, and where neither its model nor its terms are to be had', async () => {
  const options = { embedderOf: async () => null, logger };
  const unmade = { search: index.search, searchedWith: async () => null };
  const ask = (retrieve: ReturnType<typeof createRetriever>) =>
    retrieve(question('return'), { knowledgeBase, signal });
  await expect(ask(createRetriever({ ...options, index: unmade, analyzer }))).rejects.toMatchObject({
    code: 'unavailable',
  });
  const next = { ...analyzer, version: 'askbase-next' };
  await expect(ask(createRetriever({ ...options, index, analyzer: next }))).rejects.toMatchObject({
    code: 'unavailable',
  });
});

async function goOver(madeWith: IndexFingerprint): Promise<void> {
  await index.prepare(madeWith);
  for (const document of await index.listDocuments()) {
    const [passage] = await index.readDocument('shop', document.documentId);
    if (passage === undefined) throw new Error('no passage');
    const terms = weighPassageTerms('shop', analyzer.analyze(passage.text, knowledgeBase));
    await index.replaceDocument(document, [{ passage, vector: unit([1, 0, 0]), terms }], { signal });
  }
  expect(await index.prepare(madeWith)).toBe(false);
}
