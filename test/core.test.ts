import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../src/config.js';
import { type Core, createCore } from '../src/core.js';
import type { Retrieval } from '../src/retrieve/retrieve-candidates.js';
import { ROOT_DIR, startTestApp } from './support/app.js';
import { silentLogger } from './support/silent-logger.js';
import { TINY_EMBEDDER, TINY_RERANKER } from './support/tiny-models.js';

const signal = new AbortController().signal;
let dir: string;
beforeAll(async () => {
  const app = await startTestApp();
  dir = app.dir;
  await app.close({ keep: true });
  // The same model under another name: to the index it is another one.
  cpSync(join(dir, 'models', TINY_EMBEDDER), join(dir, 'models', 'second'), { recursive: true });
  const manifest = join(dir, 'models', 'second', 'manifest.json');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(`"${TINY_EMBEDDER}"`, '"second"'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function withCore(model: string, run: (core: Core) => Promise<void>): Promise<void> {
  const config = readConfig(
    {
      DATA_DIR: join(dir, 'data'),
      MODELS_DIR: join(dir, 'models'),
      KNOWLEDGE_DIR: join(dir, 'knowledge'),
      EMBED_MODEL: model,
      RERANK_MODEL: TINY_RERANKER,
      EMBED_DEVICE: 'cpu',
      RERANK_DEVICE: 'cpu',
    },
    ROOT_DIR,
  );
  const core = await createCore(config, { logger: silentLogger });
  try {
    await core.knowledgeFolder.load();
    await run(core);
  } finally {
    await core.close();
  }
}

async function ask(core: Core): Promise<Retrieval> {
  const { retrieve } = core.steps({ writeTrace: async () => undefined });
  const text = 'How many days do I have to return an item?';
  return retrieve(
    { text, standalone: text, language: 'en' },
    { knowledgeBase: core.knowledgeBases.ensure('shop'), signal },
  );
}

/** Making again says when it was done. */
const found = ({ candidates, degraded }: Retrieval) => ({
  degraded,
  candidates: candidates.map(({ passage, scores }) => [passage.id, passage.text, scores]),
});

test('answers with the former embedder while the index goes over to another, then with the new one', async () => {
  await withCore('second', async (core) => {
    expect(await core.prepareIndex()).toBe(true);
    expect(await core.index.searchedWith()).toMatchObject({ embedder: TINY_EMBEDDER });
    const before = await ask(core);
    expect(before.degraded).toEqual([]);
    expect(before.candidates[0]?.scores).toMatchObject({ dense: { rank: 1 }, lexical: { rank: 1 } });

    expect(await core.knowledgeFolder.sync({ signal })).toMatchObject({ failed: [] });
    expect(await core.index.searchedWith()).toMatchObject({ embedder: 'second' });
    expect(found(await ask(core))).toEqual(found(before));
  });
});

test('gives no vectors up for a model that is not there, and answers with those it has', async () => {
  await withCore('a-slip', async (core) => {
    await expect(core.prepareIndex()).rejects.toMatchObject({
      code: 'unavailable',
      retryable: false,
      message: expect.stringContaining('a-slip is not there; the index keeps what second made'),
    });
    expect((await ask(core)).degraded).toEqual([]);
  });
});

test('searches by words where the former embedder has been removed', async () => {
  rmSync(join(dir, 'models', 'second'), { recursive: true });
  await withCore(TINY_EMBEDDER, async (core) => {
    expect(await core.prepareIndex()).toBe(true);
    const { degraded, candidates } = await ask(core);
    expect(degraded).toEqual(['dense']);
    expect(candidates.length).toBeGreaterThan(0);
  });
});
