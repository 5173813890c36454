import { describe, expect, onTestFinished, test } from 'vitest';
import { createQdrantPassageIndex } from '../../src/retrieve/qdrant-passage-index.js';
import { alike, documentOf, indexed, passageOf } from '../support/passages.js';
import { NO_QDRANT, QDRANT_BINARY, type QdrantServer, startQdrantCluster } from '../support/qdrant-server.js';

const FINGERPRINT = { embedder: 'tiny', dimensions: 2, analyzer: 'askbase-1' };
const LAYOUT = { shards: 3, replicas: 2, writeConsistency: 1 };
const { signal } = new AbortController();

if (QDRANT_BINARY === undefined) test.skip(NO_QDRANT, () => undefined);

describe.skipIf(QDRANT_BINARY === undefined)('a Qdrant cluster of three nodes', () => {
  test('goes on answering and taking documents while a node is killed under load, and loses nothing', async () => {
    const nodes = await startQdrantCluster(3);
    onTestFinished(async () => void (await Promise.all(nodes.map((node) => node.close()))));
    const index = openOn(nodes);
    await index.prepare(FINGERPRINT);
    const acknowledged: string[] = [];
    const write = async (): Promise<void> => {
      const documentId = `${acknowledged.length}.md`;
      const passage = passageOf('shop', { documentId, text: `kettle ${documentId}` });
      await index.replaceDocument(documentOf(passage), [indexed(passage, [1, 0])], { signal });
      acknowledged.push(documentId);
    };
    for (let number = 0; number < 30; number += 1) await write();

    let loaded = true;
    const searching = Array.from({ length: 4 }, async () => {
      let searches = 0;
      for (; loaded; searches += 1) {
        const before = acknowledged.length;
        expect((await find(index)).length).toBeGreaterThanOrEqual(before);
      }
      return searches;
    });
    const [first, second, third] = nodes;
    if (first === undefined || second === undefined || third === undefined) throw new Error('three nodes');
    for (let number = 0; number < 10; number += 1) await write();
    await second.kill();
    for (let number = 0; number < 30; number += 1) await write();
    loaded = false;
    for (const searches of await Promise.all(searching)) expect(searches).toBeGreaterThan(0);
    expect(acknowledged).toHaveLength(70);

    await second.restart();
    for (const node of [first, second, third]) {
      await expect
        .poll(() => find(openOn([node])).catch(() => []), { timeout: 60_000 })
        .toEqual(expect.arrayContaining(acknowledged));
    }
  });

  test('spreads a collection as the settings say, and explains one that is spread otherwise', async () => {
    const nodes = await startQdrantCluster(3);
    onTestFinished(async () => void (await Promise.all(nodes.map((node) => node.close()))));
    await openOn(nodes).prepare(FINGERPRINT);
    const url = nodes[0]?.url ?? '';
    const { result } = (await (await fetch(`${url}/collections/askbase`)).json()) as {
      result: { config: { params: object } };
    };
    expect(result.config.params).toMatchObject({
      shard_number: 3,
      replication_factor: 2,
      write_consistency_factor: 1,
    });
    const otherwise = createQdrantPassageIndex({
      urls: [url],
      collection: 'askbase',
      layout: { shards: 6, replicas: 3 },
    });
    await expect(otherwise.prepare(FINGERPRINT)).rejects.toMatchObject({
      code: 'unavailable',
      retryable: false,
      message: expect.stringMatching(/3 shards where QDRANT_SHARDS is 6.*2 copies .* QDRANT_REPLICAS is 3/),
    });
  });
});

function openOn(nodes: readonly QdrantServer[]): ReturnType<typeof createQdrantPassageIndex> {
  return createQdrantPassageIndex({
    urls: nodes.map(({ url }) => url),
    collection: 'askbase',
    layout: LAYOUT,
  });
}

async function find(index: ReturnType<typeof createQdrantPassageIndex>): Promise<string[]> {
  const { lexical } = await index.search(
    { lexical: alike(['kettl']), dense: Float32Array.of(1, 0), madeWith: FINGERPRINT },
    { knowledgeBase: 'shop', limit: 1000, signal },
  );
  return lexical.map(({ passage }) => passage.documentId);
}
