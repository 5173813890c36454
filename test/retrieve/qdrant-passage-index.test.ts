import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { PassageIndex } from '../../src/retrieve/passage-index.js';
import { createQdrantPassageIndex } from '../../src/retrieve/qdrant-passage-index.js';
import { passageIndexContract } from '../contracts/passage-index.js';
import { documentOf, indexed, passageOf } from '../support/passages.js';
import {
  hasQdrant,
  NO_QDRANT,
  QDRANT_BINARY,
  startOwnQdrant,
  startQdrant,
} from '../support/qdrant-server.js';

const FINGERPRINT = { embedder: 'tiny', dimensions: 2, analyzer: 'askbase-1' };
const { signal } = new AbortController();

if (hasQdrant) {
  passageIndexContract('qdrant', async () => {
    const server = await startQdrant();
    return {
      newPlace: async () => {
        const collection = `askbase-test-${randomUUID()}`;
        return {
          open: async () => createQdrantPassageIndex({ urls: [server.url], collection }),
          remove: () => removeCollections(server.url, collection),
        };
      },
      close: server.close,
    };
  });

  test('says so where a collection of that name is not ours, and leaves it alone', async () => {
    const server = await startQdrant();
    onTestFinished(server.close);
    const collection = `askbase-test-${randomUUID()}`;
    await fetch(`${server.url}/collections/${collection}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ vectors: { size: 4, distance: 'Dot' } }),
    });
    const index = createQdrantPassageIndex({ urls: [server.url], collection });
    await expect(index.prepare(FINGERPRINT)).rejects.toMatchObject({
      code: 'unavailable',
      message: `The collection ${collection} was not made by Askbase; choose another name.`,
      retryable: false,
    });
    await removeCollections(server.url, collection);
  });

  test('two instances that start at once on an empty server share one collection', async () => {
    const server = await startQdrant();
    onTestFinished(server.close);
    const collection = `askbase-test-${randomUUID()}`;
    const instances = [0, 1].map(() => createQdrantPassageIndex({ urls: [server.url], collection }));
    await Promise.all(instances.map((index) => index.prepare(FINGERPRINT)));
    await write(instances[0] as PassageIndex, 'a.md');
    expect(await instances[1]?.listDocuments()).toHaveLength(1);
    await removeCollections(server.url, collection);
  });
} else {
  process.stderr.write(`${NO_QDRANT}\n`);
  test.skip(NO_QDRANT, () => undefined);
}

describe.skipIf(QDRANT_BINARY === undefined)('a Qdrant server that is killed', () => {
  test('is unavailable, then found again without a restart of ours; nothing acknowledged is lost', async () => {
    const server = await startOwnQdrant();
    onTestFinished(server.close);
    const index = createQdrantPassageIndex({ urls: [server.url], collection: 'askbase' });
    await index.prepare(FINGERPRINT);
    const acknowledged: string[] = [];
    let failure: unknown;
    const writing = (async () => {
      for (let number = 0; failure === undefined; number += 1) {
        await write(index, `${number}.md`).then(
          () => acknowledged.push(`${number}.md`),
          (thrown) => {
            failure = thrown;
          },
        );
        if (acknowledged.length === 20) void server.kill();
      }
    })();
    await writing;
    expect(failure).toMatchObject({ name: 'AppError', code: 'unavailable', retryable: true });
    await expect(find(index)).rejects.toMatchObject({ name: 'AppError', code: 'unavailable' });
    expect(await index.isReady()).toBe('The search engine cannot be reached.');

    await server.restart();
    expect(await index.isReady()).toBeNull();
    const documents = (await index.listDocuments()).map(({ documentId }) => documentId);
    expect(documents).toEqual(expect.arrayContaining(acknowledged));
    expect(await find(index)).toBeGreaterThanOrEqual(acknowledged.length);
    await write(index, 'after.md');
  });
});

async function write(index: PassageIndex, documentId: string): Promise<void> {
  const passage = passageOf('shop', { documentId, text: `kettle ${documentId}` });
  await index.replaceDocument(documentOf(passage), [indexed(passage, [1, 0])], { signal });
}

async function find(index: PassageIndex): Promise<number> {
  const hits = await index.search(
    { lexical: ['kettl'], dense: Float32Array.of(1, 0), madeWith: FINGERPRINT },
    { knowledgeBase: 'shop', limit: 1000, signal },
  );
  return hits.lexical.length;
}

async function removeCollections(url: string, prefix: string): Promise<void> {
  const { result } = (await (await fetch(`${url}/collections`)).json()) as {
    result: { collections: { name: string }[] };
  };
  for (const { name } of result.collections) {
    if (name.startsWith(prefix)) await fetch(`${url}/collections/${name}`, { method: 'DELETE' });
  }
}
