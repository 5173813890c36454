import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.js';
import { type Core, createCore } from '../src/core.js';
import { findOpenSlot } from '../src/question/clarify.js';
import { findRedFlag } from '../src/question/shortcuts.js';
import { reasonAgainst } from '../src/rerank/reason-against.js';
import { ROOT_DIR } from './support/app.js';
import { readFixtureLines } from './support/fixture-lines.js';
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

  it('hear red flags in the words of people who do not know the phrases', () => {
    const flags = readFixtureLines<{ half: string; text: string; redFlag: string | null }>(
      'red-flags/red-flags.jsonl',
    );
    const knowledgeBase = core.knowledgeBases.get('health-consultation');
    if (knowledgeBase === undefined) throw new Error('There is no demo for health.');
    const ids = new Set(knowledgeBase.triage.map(({ id }) => id));
    const share = (half: string, isMeant: boolean): number => {
      const some = flags.filter((one) => one.half === half && (one.redFlag !== null) === isMeant);
      expect(some.length).toBeGreaterThan(50);
      if (isMeant) expect(new Set(some.map(({ redFlag }) => redFlag))).toEqual(ids);
      return (
        some.filter(({ text }) => findRedFlag(text, knowledgeBase, 'en') !== undefined).length / some.length
      );
    };
    expect(share('development', true)).toBeGreaterThan(0.97);
    expect(share('test', true)).toBeGreaterThan(0.8);
    expect(share('development', false)).toBeLessThan(0.06);
    expect(share('test', false)).toBeLessThan(0.04);
  });

  it.each([
    ['孩子发烧38.5度', 'age'],
    ['孩子5岁，发烧38.5度', 'duration'],
    ['My son has a temp of 39', 'age'],
    ['孩子5岁，从昨晚开始发烧38.5度', undefined],
    ['What counts as a fever, is it 38 degrees?', undefined],
  ])('ask back what is missing from “%s”: %s', (text, slot) => {
    const knowledgeBase = core.knowledgeBases.get('health-consultation');
    if (knowledgeBase === undefined) throw new Error('There is no demo for health.');
    expect(findOpenSlot(text, [], knowledgeBase, 'en')?.id).toBe(slot);
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
