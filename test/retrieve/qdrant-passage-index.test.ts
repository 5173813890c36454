import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { PassageIndex } from '../../src/retrieve/passage-index.js';
import { createQdrantPassageIndex } from '../../src/retrieve/qdrant-passage-index.js';
import { passageIndexContract } from '../contracts/passage-index.js';
import { alike, documentOf, indexed, passageOf } from '../support/passages.js';
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

  test('names what does not fit in a collection that is there, and leaves it alone', async () => {
    const server = await startQdrant();
    onTestFinished(server.close);
    const collection = `askbase-test-${randomUUID()}`;
    const open = () => createQdrantPassageIndex({ urls: [server.url], collection });
    await open().prepare(FINGERPRINT);
    const [name] = await collectionsOf(server.url, collection);
    const definition = {
      vectors: { dense: { size: 3, distance: 'Cosine' } },
      sparse_vectors: { lexical: {} },
      metadata: { askbase: FINGERPRINT },
    };
    for (const [method, body] of [
      ['DELETE', undefined],
      ['PUT', JSON.stringify(definition)],
    ] as const) {
      const headers = { 'content-type': 'application/json' };
      const reply = await fetch(`${server.url}/collections/${name}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
      });
      expect(reply.ok).toBe(true);
    }
    await expect(open().prepare(FINGERPRINT)).rejects.toMatchObject({
      code: 'unavailable',
      retryable: false,
      message:
        `The collection ${name} does not fit: its vectors have 3 dimensions where the model makes 2; ` +
        'its vectors are compared by Cosine, not by Dot; its "lexical" vectors lack the idf modifier.',
    });
    await removeCollections(server.url, collection);
  });

  test('puts right what can be put right: strict mode, write consistency and field indexes', async () => {
    const server = await startQdrant();
    onTestFinished(server.close);
    const collection = `askbase-test-${randomUUID()}`;
    await createQdrantPassageIndex({ urls: [server.url], collection }).prepare(FINGERPRINT);
    const [name] = await collectionsOf(server.url, collection);
    const change = async (path: string, method: string, body?: object): Promise<void> => {
      const headers = { 'content-type': 'application/json' };
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const reply = await fetch(`${server.url}/collections/${name}${path}`, { method, headers, ...sent });
      expect(reply.ok).toBe(true);
    };
    await change('', 'PATCH', { strict_mode_config: { enabled: false } });
    await change('/index/tags?wait=true', 'DELETE');
    const layout = { writeConsistency: 1 };
    await createQdrantPassageIndex({ urls: [server.url], collection, layout }).prepare(FINGERPRINT);
    const { result } = (await (await fetch(`${server.url}/collections/${name}`)).json()) as {
      result: { config: { strict_mode_config: object }; payload_schema: Record<string, object> };
    };
    expect(result.config.strict_mode_config).toMatchObject({ enabled: true });
    expect(Object.keys(result.payload_schema).sort()).toEqual([
      'documentId',
      'knowledgeBase',
      'language',
      'tags',
      'type',
      'updatedAt',
    ]);
    await removeCollections(server.url, collection);
  });

  test('drops the old collection when it has gone over, or at the next start where that was interrupted', async () => {
    const server = await startQdrant();
    onTestFinished(server.close);
    const collection = `askbase-test-${randomUUID()}`;
    const index = createQdrantPassageIndex({ urls: [server.url], collection });
    await index.prepare(FINGERPRINT);
    await write(index, 'a.md');
    const [old] = await collectionsOf(server.url, collection);
    const larger = { ...FINGERPRINT, embedder: 'larger' };
    expect(await index.prepare(larger)).toBe(true);
    expect(await collectionsOf(server.url, collection)).toHaveLength(2);
    await write(index, 'a.md');
    expect(await index.prepare(larger)).toBe(false);
    const [present, ...others] = await collectionsOf(server.url, collection);
    expect(others).toEqual([]);
    expect(present).not.toBe(old);

    // Killed after the alias had moved: the old one is still there, marked.
    await fetch(`${server.url}/collections/${old}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        sparse_vectors: { lexical: { modifier: 'idf' } },
        metadata: { askbase: FINGERPRINT, retired: true },
      }),
    });
    await createQdrantPassageIndex({ urls: [server.url], collection }).prepare(larger);
    expect(await collectionsOf(server.url, collection)).toEqual([present]);
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
    expect(await index.isReady()).toMatch(
      /^The search engine (cannot be reached|did not answer several times)/,
    );

    await server.restart();
    // The circuit is open for a moment.
    await expect.poll(() => index.isReady(), { timeout: 60_000 }).toBeNull();
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
    { lexical: alike(['kettl']), dense: Float32Array.of(1, 0), madeWith: FINGERPRINT },
    { knowledgeBase: 'shop', limit: 1000, signal },
  );
  return hits.lexical.length;
}

async function collectionsOf(url: string, prefix: string): Promise<string[]> {
  const { result } = (await (await fetch(`${url}/collections`)).json()) as {
    result: { collections: { name: string }[] };
  };
  return result.collections.map(({ name }) => name).filter((name) => name.startsWith(prefix));
}

async function removeCollections(url: string, prefix: string): Promise<void> {
  for (const name of await collectionsOf(url, prefix)) {
    await fetch(`${url}/collections/${name}`, { method: 'DELETE' });
  }
}
