import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exportIndex } from '../../src/retrieve/export-index.js';
import { type ImportSummary, importIndex } from '../../src/retrieve/import-index.js';
import type { PassageIndex } from '../../src/retrieve/passage-index.js';
import { createQdrantPassageIndex } from '../../src/retrieve/qdrant-passage-index.js';
import { createSqlitePassageIndex } from '../../src/retrieve/sqlite-passage-index.js';
import { alike, documentOf, indexed, passageOf } from '../support/passages.js';
import { NO_QDRANT, QDRANT_BINARY, type QdrantServer, startOwnQdrant } from '../support/qdrant-server.js';
import { seededRandom } from '../support/seeded-random.js';

const FINGERPRINT = { embedder: 'tiny', dimensions: 4, analyzer: 'askbase-1' };
const DOCUMENTS = 30;
const { signal } = new AbortController();

let folder: string;
let source: PassageIndex;
const opened: PassageIndex[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'askbase-export-'));
  source = await createSqlitePassageIndex({ file: join(folder, 'source.db') });
  await fill(source);
});
afterEach(() => Promise.all(opened.splice(0).map((index) => index.close())));
afterAll(async () => {
  await source?.close();
  await rm(folder, { recursive: true });
});

/** Empty, and closed after the test. */
async function openTarget(): Promise<PassageIndex> {
  const index = await createSqlitePassageIndex({
    file: join(await mkdtemp(join(folder, 'target-')), 'index.db'),
  });
  opened.push(index);
  return index;
}

async function fill(index: PassageIndex): Promise<void> {
  const random = seededRandom(3);
  await index.prepare(FINGERPRINT);
  for (let number = 0; number < DOCUMENTS; number += 1) {
    const passages = Array.from({ length: number % 4 }, (_, position) => {
      const text = `kettle 水壶 "${number}" \u2028 ${position}`;
      const fields = {
        documentId: `${number}.md`,
        text,
        position,
        headings: ['A', '乙'],
        url: 'https://a.b/c',
      };
      const vector = [random() - 0.5, random(), random(), random()];
      return indexed(passageOf(number % 2 === 0 ? 'shop' : 'manual', fields), position === 2 ? null : vector);
    });
    const first = passages[0]?.passage ?? passageOf('shop', { documentId: `${number}.md` });
    const summary = documentOf(first, { origin: 'upload', tags: ['x', '退货'], contentHash: `${number}` });
    await index.replaceDocument(summary, passages, { signal });
  }
}

async function linesOf(index: PassageIndex, knowledgeBases: string[] = []): Promise<string[]> {
  const lines = [];
  for await (const text of exportIndex({ index, knowledgeBases, signal })) {
    lines.push(...text.trimEnd().split('\n'));
  }
  return lines;
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

const importInto = (index: PassageIndex, lines: readonly string[]): Promise<ImportSummary> =>
  importIndex({ index, lines: each(lines), signal });

describe('moving an index', () => {
  it('gives another index the same documents, passages, vectors and terms', async () => {
    const lines = await linesOf(source);
    const target = await openTarget();
    const passages = lines.filter((line) => line.startsWith('{"passage"')).length;
    expect(passages).toBeGreaterThan(30);
    expect(await importInto(target, lines)).toEqual({ documents: DOCUMENTS, passages, unchanged: 0 });
    expect(await linesOf(target)).toEqual(lines);
    const query = { lexical: alike(['kettl']), dense: Float32Array.of(1, 0, 0, 0), madeWith: FINGERPRINT };
    const options = { knowledgeBase: 'shop', limit: 50, signal };
    expect(await target.search(query, options)).toEqual(await source.search(query, options));
  });

  it('changes nothing the second time', async () => {
    const lines = await linesOf(source);
    expect(await importInto(source, lines)).toMatchObject({ unchanged: DOCUMENTS });
    expect(await linesOf(source)).toEqual(lines);
  });

  it('takes the knowledge bases that are asked for', async () => {
    const target = await openTarget();
    await importInto(target, await linesOf(source, ['manual']));
    expect(await target.listDocuments()).toEqual(await source.listDocuments('manual'));
    await expect(linesOf(source, ['nobody'])).rejects.toMatchObject({ code: 'not-found' });
    await expect(linesOf(await openTarget())).rejects.toMatchObject({ code: 'not-found' });
  });

  it('goes on where a file broke off', async () => {
    const lines = await linesOf(source);
    const target = await openTarget();
    await expect(importInto(target, lines.slice(0, 40))).rejects.toMatchObject({
      code: 'invalid',
      message: 'Line 41: the file breaks off; what came before has been imported.',
    });
    const there = (await target.listDocuments()).length;
    expect(there).toBeGreaterThan(5);
    expect(await importInto(target, lines)).toMatchObject({ documents: DOCUMENTS, unchanged: there });
    expect(await linesOf(target)).toEqual(lines);
  });

  it('keeps what stands beside the imported documents', async () => {
    const target = await openTarget();
    await target.prepare(FINGERPRINT);
    const own = passageOf('own', { documentId: 'own.md', text: 'mine' });
    await target.replaceDocument(documentOf(own), [indexed(own)], { signal });
    await importInto(target, await linesOf(source));
    expect(await target.readDocument('own', 'own.md')).toEqual([own]);
  });

  it('refuses an index that another model made, before it writes', async () => {
    const target = await openTarget();
    await target.prepare({ ...FINGERPRINT, embedder: 'larger' });
    const own = passageOf('own', { text: 'mine' });
    await target.replaceDocument(documentOf(own), [indexed(own)], { signal });
    await expect(importInto(target, await linesOf(source))).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/tiny \(4\).+larger \(4\)/),
    });
    expect(await target.listDocuments()).toHaveLength(1);
  });
});

describe('a file that is no good', () => {
  let target: PassageIndex;
  beforeAll(async () => {
    target = await createSqlitePassageIndex({ file: join(folder, 'spoilt.db') });
  });
  afterAll(() => target?.close());

  const change = (at: number, from: string | RegExp, to: string) => (lines: string[]) =>
    lines.with(at, (lines.at(at) as string).replace(from, to));
  it.each<[string, (lines: string[]) => string[], RegExp]>([
    ['is empty', () => [], /^Line 1: the file is empty\.$/],
    ['is another file', () => ['id,name', '1,x'], /^Line 1: this is not JSON\.$/],
    ['is of another version', change(0, '"version":1', '"version":2'), /^Line 1: .*export of a version/],
    ['is no JSON somewhere', change(4, '{', ''), /^Line 5: this is not JSON\.$/],
    ['lacks a field', change(1, '"title"', '"titel"'), /^Line 2: document\.title: /],
    [
      'has a broken vector',
      (lines) => breakVector(lines),
      /^Line \d+: vector: 4 numbers are expected, not 1\.$/,
    ],
    [
      'has changed text',
      (lines) => lines.map((line) => line.replace('kettle', 'bottle')),
      /sha256 should be/,
    ],
    ['lost a line', (lines) => lines.filter((_, at) => at !== 5), /^Line \d+: /],
    ['goes on after the end', (lines) => [...lines, '{}'], /nothing is expected after the end/],
    [
      'has a stray passage',
      (lines) => [lines[0] as string, firstPassage(lines)],
      /^Line 2: .*does not belong/,
    ],
  ])('is refused by the line where it %s', async (_, spoil, message) => {
    await expect(importInto(target, spoil(await linesOf(source)))).rejects.toMatchObject({
      name: 'AppError',
      code: 'invalid',
      message: expect.stringMatching(message),
    });
  });
});

interface CollectionReply {
  result: { config: { hnsw_config: { payload_m: number } } };
}

function firstPassage(lines: readonly string[]): string {
  return lines.find((line) => line.startsWith('{"passage"')) as string;
}

function breakVector(lines: readonly string[]): string[] {
  const at = lines.indexOf(firstPassage(lines));
  return lines.with(at, (lines[at] as string).replace(/"vector":"[^"]+"/, '"vector":"AAAAAA=="'));
}

if (QDRANT_BINARY === undefined) it.skip(NO_QDRANT, () => undefined);

describe.skipIf(QDRANT_BINARY === undefined)('moving to Qdrant and back', () => {
  let qdrant: QdrantServer;
  beforeAll(async () => {
    qdrant = await startOwnQdrant();
  });
  afterAll(() => qdrant?.close());

  const linksOfGraphs = async (): Promise<unknown> => {
    const reply = await fetch(`${qdrant.url}/collections/moved`);
    return ((await reply.json()) as CollectionReply).result.config.hnsw_config.payload_m;
  };

  it('lets the server build its indexes after a load, and after one that was killed', async () => {
    const server = createQdrantPassageIndex({ urls: [qdrant.url], collection: 'moved' });
    opened.push(server);
    await server.prepare(FINGERPRINT);
    let during: unknown;
    await server.load(async () => {
      during = await linksOfGraphs();
    });
    expect([during, await linksOfGraphs()]).toEqual([0, 16]);
    // Never ends: as if its process had been killed.
    const begun = new Promise<void>((resolve) => {
      void server.load(() => {
        resolve();
        return new Promise(() => undefined);
      });
    });
    await begun;
    expect(await linksOfGraphs()).toBe(0);
    const next = createQdrantPassageIndex({ urls: [qdrant.url], collection: 'moved' });
    opened.push(next);
    await next.prepare(FINGERPRINT);
    expect(await linksOfGraphs()).toBe(16);
  });

  it('comes back bit for bit', async () => {
    const lines = await linesOf(source);
    const server = createQdrantPassageIndex({ urls: [qdrant.url], collection: 'moved' });
    opened.push(server);
    expect(await importInto(server, lines)).toMatchObject({ documents: DOCUMENTS, unchanged: 0 });
    const back = await linesOf(server);
    expect(back).toEqual(lines);
    const target = await openTarget();
    await importInto(target, back);
    expect(await linesOf(target)).toEqual(lines);
  });
});
