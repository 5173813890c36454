import { beforeEach, expect, test } from 'vitest';
import type { Embedder } from '../../src/retrieve/embedder.js';
import { createIndexEmbedders, type IndexEmbedders } from '../../src/retrieve/index-embedders.js';

const embedderOf = (model: string): Embedder => ({
  model,
  dimensions: 2,
  embed: async () => [],
});
const configured = embedderOf('new');
const INSTALLED = ['old', 'older'];

let log: string[];
let embedders: IndexEmbedders;
beforeEach(() => {
  log = [];
  embedders = createIndexEmbedders({
    configured,
    open: async (model) => {
      log.push(`open ${model}`);
      if (!INSTALLED.includes(model)) return null;
      return { embedder: embedderOf(model), close: async () => void log.push(`close ${model}`) };
    },
  });
});

test('gives the configured embedder where the index was made with it, and opens nothing', async () => {
  expect(await embedders.of({ embedder: 'new', dimensions: 2 })).toBe(configured);
  await embedders.release();
  expect(log).toEqual([]);
});

test('opens a former one once, and frees it when the index has gone over', async () => {
  const asked = await Promise.all([1, 2, 3].map(() => embedders.of({ embedder: 'old', dimensions: 2 })));
  expect(asked.map((embedder) => embedder?.model)).toEqual(['old', 'old', 'old']);
  await embedders.release();
  await embedders.release();
  expect(log).toEqual(['open old', 'close old']);
});

test('keeps one former embedder at a time', async () => {
  await embedders.of({ embedder: 'old', dimensions: 2 });
  expect((await embedders.of({ embedder: 'older', dimensions: 2 }))?.model).toBe('older');
  await embedders.release();
  expect(log.toSorted()).toEqual(['close old', 'close older', 'open old', 'open older']);
});

test.each([
  ['is not installed any more', { embedder: 'gone', dimensions: 2 }],
  ['gives vectors of another size now', { embedder: 'old', dimensions: 3 }],
  ['is configured, of another size', { embedder: 'new', dimensions: 3 }],
  ['was none', { embedder: 'none', dimensions: 0 }],
])('has none where the one of the index %s', async (_, made) => {
  expect(await embedders.of(made)).toBeNull();
});
