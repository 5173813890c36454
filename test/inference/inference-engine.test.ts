import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../src/config.js';
import { createInferenceEngine, type InferenceEngine } from '../../src/inference/inference-engine.js';
import { importModel } from '../../src/inference/model-import.js';
import type { ModelKind } from '../../src/inference/model-manifest.js';
import { writeHubModel } from '../support/hub-model.js';
import { silentLogger } from '../support/silent-logger.js';
import { TINY_DIMENSIONS, TINY_EMBEDDER, TINY_RERANKER, writeTinyModels } from '../support/tiny-models.js';

let modelsDir: string;
let engine: InferenceEngine;
const { signal } = new AbortController();

async function start(models: [string, ModelKind, Device?][], cpuThreads = 2): Promise<InferenceEngine> {
  engine = await createInferenceEngine({
    modelsDir,
    models: models.map(([name, kind, device = 'cpu']) => ({ name, kind, device })),
    logger: silentLogger,
    cpuThreads,
  });
  return engine;
}

/** Waits until the models stand ready again after the process has died. */
async function untilReady(): Promise<void> {
  while (engine.status().some(({ ready }) => !ready)) await new Promise((resolve) => setImmediate(resolve));
}

function manyTexts(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const words = ['kettle', 'invoice', 'refund', 'parcel', 'warranty', '退货', '发票', '保修'];
    return Array.from({ length: 3 + ((index * 7) % 60) }, (_, at) => words[(index + at * at) % 8]).join(' ');
  });
}

beforeAll(() => {
  modelsDir = mkdtempSync(join(tmpdir(), 'askbase-engine-'));
  writeTinyModels(modelsDir);
});
afterEach(() => engine.close());
afterAll(() => rmSync(modelsDir, { recursive: true }));

describe('models that are there', () => {
  test('rank the relevant passage first, in English and Chinese', async () => {
    await start([[TINY_RERANKER, 'reranker']]);
    const english = await engine.rerank(
      TINY_RERANKER,
      'How long do I have to return an item?',
      ['Invoices are sent by mail.', 'You can return most items within 30 days.'],
      { signal },
    );
    const chinese = await engine.rerank(
      TINY_RERANKER,
      '退货需要几天？',
      ['会员等级按消费计算', '签收后7天内可以退货'],
      { signal },
    );
    for (const [irrelevant, relevant] of [english, chinese]) {
      expect(relevant?.logit).toBeGreaterThan(irrelevant?.logit ?? 0);
      expect(relevant?.sigmoid).toBeCloseTo(1 / (1 + Math.exp(-(relevant?.logit ?? 0))), 12);
      expect(relevant).toMatchObject({ windows: 1, truncated: false });
    }
  });

  test('give one unit vector per text, close for texts about the same', async () => {
    await start([[TINY_EMBEDDER, 'embedder']]);
    const texts = ['return the kettle', 'the kettle is returned', 'blue invoices'];
    const [a, b, c] = (await engine.embed(TINY_EMBEDDER, texts, { kind: 'passage', signal })) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    expect(a).toHaveLength(TINY_DIMENSIONS);
    const cosine = (x: Float32Array, y: Float32Array): number =>
      x.reduce((sum, value, index) => sum + value * (y[index] as number), 0);
    expect(cosine(a, a)).toBeCloseTo(1, 5);
    expect(cosine(a, b)).toBeGreaterThan(0.7);
    expect(Math.abs(cosine(a, c))).toBeLessThan(0.4);
  });

  test('say where and how they run', async () => {
    await start([[TINY_RERANKER, 'reranker', 'auto']]);
    expect(engine.status()).toMatchObject([{ ready: false, reason: 'The models are being loaded.' }]);
    await engine.loaded();
    expect(engine.status()).toMatchObject([
      {
        name: TINY_RERANKER,
        requestedDevice: 'auto',
        ready: true,
        device: 'cpu',
        precision: 'fp32',
        sessions: 2,
        threadsPerSession: 1,
        golden: true,
      },
    ]);
  });

  test('read a passage that is too long in windows, and say when some of it was not read', async () => {
    await start([[TINY_RERANKER, 'reranker']]);
    const filler = 'blue '.repeat(600);
    const scores = await engine.rerank(
      TINY_RERANKER,
      'broken kettle',
      [`${filler}broken kettle`, `${filler.repeat(8)}broken kettle`, 'broken kettle'],
      { signal },
    );
    expect(scores[0]).toMatchObject({ logit: scores[2]?.logit, truncated: false });
    expect(scores[0]?.windows).toBeGreaterThan(1);
    expect(scores[1]).toMatchObject({ truncated: true, windows: 8, logit: -4 });
  });

  test('remember scores by model, question and passage', async () => {
    await start([[TINY_RERANKER, 'reranker']]);
    const texts = manyTexts(20);
    const first = await engine.rerank(TINY_RERANKER, 'kettle refund', texts, { signal });
    const runs = async (): Promise<number> => (await engine.snapshot()).process?.pools.cpu?.runs ?? 0;
    const runsAfterFirst = await runs();
    expect(await engine.rerank(TINY_RERANKER, 'kettle refund', texts.toReversed(), { signal })).toEqual(
      first.toReversed(),
    );
    expect(await runs()).toBe(runsAfterFirst);
    await engine.rerank(TINY_RERANKER, 'invoice', texts, { signal });
    expect(await runs()).toBeGreaterThan(runsAfterFirst);
    expect((await engine.snapshot()).scores).toMatchObject({ hits: 20, misses: 40 });
    expect((await engine.snapshot()).process?.passageIds.hits).toBeGreaterThanOrEqual(20);
  });
});

describe('a score does not depend on the passages beside it', () => {
  test.each([
    ['bert', 'int8'],
    ['bert', 'fp32'],
    ['roberta', 'int8'],
    ['modernbert', 'fp32'],
  ] as const)('with a %s model in %s', async (kind, precision) => {
    const name = `beside-${kind}-${precision}`;
    writeHubModel(join(modelsDir, name), { kind, precisions: [precision] });
    await importModel(join(modelsDir, name), { name, license: 'MIT', source: 'test' });
    await start([[name, 'reranker']]);
    await engine.loaded();
    expect(engine.status()).toMatchObject([{ ready: true, precision, golden: true }]);

    const texts = manyTexts(24);
    const together = await engine.rerank(name, 'refund 退货', texts, { signal });
    await engine.close();
    await start([[name, 'reranker']], 1);
    const alone: number[] = [];
    for (const text of texts)
      alone.push((await engine.rerank(name, 'refund 退货', [text], { signal }))[0]?.logit ?? 0);
    for (const [index, { logit }] of together.entries()) {
      if (precision === 'int8') expect(logit).toBe(alone[index]);
      else expect(logit).toBeCloseTo(alone[index] as number, 4);
    }
  });
});

describe('models that are not right', () => {
  test('a missing model is reported, and the others work', async () => {
    await start([
      ['not-there', 'reranker'],
      [TINY_EMBEDDER, 'embedder'],
    ]);
    await engine.loaded();
    expect(engine.status()).toMatchObject([
      { ready: false, device: null, reason: expect.stringContaining('not installed') },
      { ready: true },
    ]);
    expect(engine.manifest('not-there')).toBeUndefined();
    await expect(engine.rerank('not-there', 'a', ['b'], { signal })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('not installed'),
    });
  });

  test('a damaged model file is refused by its hash', async () => {
    const name = 'damaged';
    writeHubModel(join(modelsDir, name), { kind: 'bert' });
    await importModel(join(modelsDir, name), { name, license: 'MIT', source: 'test' });
    const path = join(modelsDir, name, 'onnx/model.onnx');
    const bytes = readFileSync(path);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] as number) ^ 1;
    writeFileSync(path, bytes);
    await start([[name, 'reranker']]);
    await engine.loaded();
    expect(engine.status()).toMatchObject([
      { ready: false, reason: expect.stringContaining('onnx/model.onnx does not match its sha256') },
    ]);
  });

  test('a device that computes the golden pairs wrongly is refused', async () => {
    const name = 'wrong';
    writeHubModel(join(modelsDir, name), { kind: 'bert' });
    const manifest = await importModel(join(modelsDir, name), { name, license: 'MIT', source: 'test' });
    if (manifest.kind !== 'reranker' || manifest.golden === undefined) throw new Error('no golden pairs');
    manifest.golden.pairs[1] = { query: 'a', passage: 'b', logit: { fp32: 9 } };
    writeFileSync(join(modelsDir, name, 'manifest.json'), JSON.stringify(manifest));
    await start([[name, 'reranker', 'auto']]);
    await engine.loaded();
    expect(engine.status()).toMatchObject([
      { ready: false, reason: expect.stringContaining('computes the golden pairs wrongly') },
    ]);
  });

  test('an embedder that is asked to rerank is refused', async () => {
    await start([[TINY_EMBEDDER, 'reranker']]);
    await engine.loaded();
    expect(engine.status()).toMatchObject([{ ready: false, reason: expect.stringContaining('embedder') }]);
  });
});

describe('a process that dies', () => {
  test('is back after a kill in the middle of 50 reranks, each of which is answered', async () => {
    await start([[TINY_RERANKER, 'reranker']]);
    await engine.rerank(TINY_RERANKER, 'warm', ['up'], { signal });
    const pid = engine.pid() as number;
    const texts = manyTexts(20);
    const answers = Array.from({ length: 50 }, (_, index) =>
      engine.rerank(TINY_RERANKER, `refund ${index}`, texts, { signal }),
    );
    await answers[0];
    process.kill(pid, 'SIGKILL');
    const results = await Promise.all(answers);
    expect(results.every((scores) => scores.length === 20)).toBe(true);
    expect((await engine.snapshot()).restarts).toBe(1);
    expect(engine.pid()).not.toBe(pid);
    await untilReady();
    expect(await engine.rerank(TINY_RERANKER, 'refund 0', texts, { signal })).toEqual(results[0]);
  });

  test('refuses new requests at once while it is down, and says so', async () => {
    await start([[TINY_RERANKER, 'reranker']]);
    await engine.loaded();
    const dying = engine.rerank(TINY_RERANKER, 'refund', manyTexts(400), { signal });
    process.kill(engine.pid() as number, 'SIGKILL');
    while (engine.status()[0]?.ready) await new Promise((resolve) => setImmediate(resolve));
    expect(engine.status()[0]?.reason).toContain('started again');
    await expect(engine.rerank(TINY_RERANKER, 'new', ['text'], { signal })).rejects.toMatchObject({
      code: 'unavailable',
      retryable: true,
    });
    expect(await dying).toHaveLength(400);
  });

  test('a request under which it dies twice is not tried a third time', async () => {
    await start([[TINY_RERANKER, 'reranker']]);
    await engine.loaded();
    const poison = engine.rerank(TINY_RERANKER, 'refund', manyTexts(1000), { signal });
    const answered = expect(poison).rejects.toMatchObject({ code: 'unavailable' });
    const first = engine.pid() as number;
    process.kill(first, 'SIGKILL');
    while (engine.pid() === first) await new Promise((resolve) => setImmediate(resolve));
    await untilReady();
    process.kill(engine.pid() as number, 'SIGKILL');
    await answered;
  });
});

describe('callers who leave', () => {
  test('get `stopped`, and no run of theirs begins any more', async () => {
    await start([[TINY_RERANKER, 'reranker']], 1);
    await engine.loaded();
    const controller = new AbortController();
    const long = engine.rerank(TINY_RERANKER, 'refund', manyTexts(1000), { signal: controller.signal });
    const short = engine.rerank(TINY_RERANKER, 'kettle', ['kettle'], { signal });
    await short;
    controller.abort();
    await expect(long).rejects.toMatchObject({ code: 'stopped' });
    const before = await engine.snapshot();
    await engine.rerank(TINY_RERANKER, 'another', ['kettle'], { signal });
    const after = await engine.snapshot();
    expect(before.process?.pools.cpu).toMatchObject({ queuedSequences: 0, queuedTokens: 0 });
    expect(
      (after.process?.pools.cpu?.runs ?? 0) - (before.process?.pools.cpu?.runs ?? 0),
    ).toBeLessThanOrEqual(3);
  });

  test('get `timeout` where their time limit ran out', async () => {
    await start([[TINY_RERANKER, 'reranker']]);
    await expect(
      engine.rerank(TINY_RERANKER, 'refund', manyTexts(1000), { signal: AbortSignal.timeout(1) }),
    ).rejects.toMatchObject({ code: 'timeout' });
  });

  test('who left before asking are not served', async () => {
    await start([[TINY_EMBEDDER, 'embedder']]);
    await expect(
      engine.embed(TINY_EMBEDDER, ['a'], { kind: 'query', signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'stopped' });
  });
});
