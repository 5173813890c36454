import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createQdrantPassageIndex } from '../../src/retrieve/qdrant-passage-index.js';
import { alike, documentOf, indexed, passageOf, termsOf, unit } from '../support/passages.js';
import { NO_QDRANT, type OwnQdrantServer, QDRANT_BINARY, startOwnQdrant } from '../support/qdrant-server.js';

const FINGERPRINT = { embedder: 'tiny', dimensions: 2, analyzer: 'askbase-1' };
const COLLECTION = 'kept';
const { signal } = new AbortController();

if (QDRANT_BINARY === undefined) test.skip(NO_QDRANT, () => undefined);

/** The commands of docs/operations.md, "Backup". */
describe.skipIf(QDRANT_BINARY === undefined)('a snapshot of a Qdrant collection', () => {
  let server: OwnQdrantServer;
  beforeAll(async () => {
    server = await startOwnQdrant();
  });
  afterAll(() => server?.close());

  const open = () => createQdrantPassageIndex({ urls: [server.url], collection: COLLECTION });
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const reply = await fetch(`${server.url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const { result, status } = (await reply.json()) as { result: T; status: unknown };
    if (!reply.ok) throw new Error(JSON.stringify(status));
    return result;
  };
  const collections = async (): Promise<string[]> =>
    (await call<{ collections: { name: string }[] }>('GET', '/collections')).collections.map(
      ({ name }) => name,
    );
  /** Everything that a search and a look at the documents give. */
  const contents = async (index: ReturnType<typeof open>) => ({
    documents: await index.listDocuments(),
    found: await index.search(
      { lexical: alike(termsOf('kettle')), dense: unit([1, 2]), madeWith: FINGERPRINT },
      { knowledgeBase: 'shop', limit: 100, signal },
    ),
  });

  test('brings everything back on an empty server; the next start makes the alias again', async () => {
    const index = open();
    await index.prepare(FINGERPRINT);
    for (let number = 0; number < 30; number += 1) {
      const passage = passageOf('shop', { documentId: `${number}.md`, text: `kettle ${number}` });
      await index.replaceDocument(documentOf(passage), [indexed(passage, [1, number])], { signal });
    }
    const before = await contents(index);
    expect(before.found.dense).toHaveLength(30);
    await index.close();

    const [name = ''] = await collections();
    const { name: file } = await call<{ name: string }>('POST', `/collections/${name}/snapshots`);
    await server.kill();
    await rm(join(server.folder, 'storage'), { recursive: true });
    await server.restart();
    expect(await collections()).toEqual([]);
    await call('PUT', `/collections/${name}/snapshots/recover?priority=snapshot`, {
      location: `file://${join(server.folder, 'snapshots', name, file)}`,
    });

    const restored = open();
    expect(await restored.prepare(FINGERPRINT)).toBe(false);
    expect(await contents(restored)).toEqual(before);
    await restored.close();
  });
});
