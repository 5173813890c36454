import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.js';
import { type Core, createCore } from '../src/core.js';
import { reasonAgainst } from '../src/rerank/reason-against.js';
import { ROOT_DIR } from './support/app.js';
import { silentLogger } from './support/silent-logger.js';

const { signal } = new AbortController();

/** What somebody sees first: the demo knowledge, asked with the models that ship. */
describe('the demos', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'askbase-demos-'));
  let core: Core;
  beforeAll(async () => {
    const environment = { DATA_DIR: dataDir, EMBED_DEVICE: 'cpu', RERANK_DEVICE: 'cpu' };
    core = await createCore(readConfig(environment, ROOT_DIR), { logger: silentLogger });
    await core.engine.loaded();
    await core.prepareIndex();
    await core.knowledgeFolder.sync({ signal });
  }, 300_000);
  afterAll(async () => {
    await core.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** Documents whose passages are handed on; none where the question is refused. */
  async function readFor(id: string, text: string): Promise<string[]> {
    const steps = core.steps({ writeTrace: async () => undefined });
    const knowledgeBase = core.knowledgeBases.get(id);
    if (knowledgeBase === undefined) throw new Error(`There is no demo ${id}.`);
    const { question } = await steps.understand({ text, turns: [], knowledgeBase }, { signal });
    const { candidates, degraded } = await steps.retrieve(question, { knowledgeBase, signal });
    expect(degraded).toEqual([]);
    const reranking = await steps.rerank(question, candidates, { knowledgeBase, signal });
    expect(reranking).toMatchObject({ degraded: [], answerability: { probability: expect.any(Number) } });
    if (reasonAgainst(reranking) !== null) return [];
    return reranking.candidates
      .filter(({ decision }) => decision === 'kept')
      .map(({ passage: { documentId } }) => documentId);
  }

  it('answer each of the questions that they propose', { timeout: 120_000 }, async () => {
    const proposed = core.knowledgeBases
      .list()
      .flatMap(({ id, starters }) =>
        Object.values(starters ?? {}).flatMap((texts) => texts.map((text) => [id, text])),
      );
    expect(proposed.length).toBeGreaterThan(20);
    const refused: string[] = [];
    for (const [id = '', text = ''] of proposed) {
      if ((await readFor(id, text)).length === 0) refused.push(text);
    }
    expect(refused).toEqual([]);
  });

  it('know a code that a document explains from one that none does', { timeout: 60_000 }, async () => {
    for (const text of [
      'What does E16 mean?',
      'The robot reports E03.',
      '显示 E16 该怎么办？',
      '集尘座报 D05，要等多久？',
    ]) {
      expect(await readFor('product-manual', text), text).toContainEqual(
        expect.stringMatching(/error-codes|empty|troubleshooting/),
      );
    }
    for (const text of ['What does E31 mean?', 'The robot reports E77.', 'E31 是什么故障？']) {
      expect(await readFor('product-manual', text), text).toEqual([]);
    }
  });
});
