import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readChosenModels, writeChosenModel } from '../../src/inference/chosen-models.js';
import { pullModel } from '../../src/inference/hub-download.js';
import { createInferenceEngine } from '../../src/inference/inference-engine.js';
import { listModels, pulledDirOf, removeModel } from '../../src/inference/model-folders.js';
import { importModel } from '../../src/inference/model-import.js';
import { writeHubModel } from '../support/hub-model.js';
import { type HubServer, startHubServer } from '../support/hub-server.js';
import { silentLogger } from '../support/silent-logger.js';

let folder: string;
let hub: HubServer;
const { signal } = new AbortController();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'askbase-hub-'));
  const repositories: Record<string, string> = {};
  for (const kind of ['bert', 'roberta', 'modernbert'] as const) {
    const dir = join(folder, 'hub', kind);
    writeHubModel(dir, { kind, precisions: kind === 'bert' ? ['fp32', 'fp16', 'int8'] : ['fp32'] });
    repositories[`org/${kind}-reranker`] = dir;
  }
  writeHubModel(join(folder, 'hub', 'embed'), { kind: 'bert', task: 'embedder' });
  repositories['org/embed'] = join(folder, 'hub', 'embed');
  writeHubModel(join(folder, 'hub', 'bare'), { kind: 'bert', precisions: [] });
  repositories['org/bare'] = join(folder, 'hub', 'bare');
  repositories['org/converted'] = join(folder, 'hub', 'bare');
  repositories['onnx-community/converted-ONNX'] = join(folder, 'hub', 'roberta');
  hub = await startHubServer(repositories);
});
afterEach(async () => {
  await hub.close();
  rmSync(folder, { recursive: true });
});

const modelsDir = (): string => join(folder, 'models');
const target = (name: string): string => pulledDirOf(modelsDir(), name);
const pull = (
  repository: string,
  name: string,
  precisions: readonly ('fp32' | 'fp16' | 'int8')[] = ['int8'],
) => pullModel({ endpoint: hub.url }, repository, target(name), { precisions, signal });

describe('a model that is pulled', () => {
  test.each(['bert', 'roberta', 'modernbert'] as const)(
    'of the %s kind gets a manifest with golden pairs, and reranks',
    async (kind) => {
      const { license, repository, revision } = await pull(`org/${kind}-reranker`, kind);
      const source = `${repository} at ${revision}`;
      const manifest = await importModel(target(kind), { name: kind, license, source });
      expect(manifest).toMatchObject({
        kind: 'reranker',
        license: 'apache-2.0',
        maxLength: 128,
        threshold: 0.5,
      });
      expect(manifest.files.map(({ precision }) => precision)).toEqual([kind === 'bert' ? 'int8' : 'fp32']);
      const engine = await createInferenceEngine({
        modelsDir: modelsDir(),
        models: [{ name: kind, kind: 'reranker', device: 'cpu' }],
        logger: silentLogger,
        cpuThreads: 1,
      });
      try {
        const scores = await engine.rerank(kind, '退货', ['七天内可以退货', 'invoices'], { signal });
        expect(engine.status()).toMatchObject([{ ready: true, golden: true }]);
        expect(scores.every(({ logit }) => Number.isFinite(logit))).toBe(true);
        expect(scores[0]?.logit).not.toBe(scores[1]?.logit);
      } finally {
        await engine.close();
      }
    },
  );

  test('as an embedder says its dimensions and pooling', async () => {
    await pull('org/embed', 'embed');
    const manifest = await importModel(target('embed'), { name: 'embed', license: 'MIT', source: 'test' });
    expect(manifest).toMatchObject({ kind: 'embedder', dimensions: 32, pooling: 'mean', queryPrefix: '' });
  });

  test('brings the precisions asked for, and all there are where none of them is there', async () => {
    await pull('org/bert-reranker', 'both', ['fp16', 'int8']);
    expect(
      hub.downloads
        .map(({ path }) => path)
        .filter((path) => path.endsWith('.onnx'))
        .sort(),
    ).toEqual(['onnx/model_fp16.onnx', 'onnx/model_int8.onnx']);
    await pull('org/roberta-reranker', 'other', ['int8']);
    expect(hub.downloads.at(-1)?.path ?? '').not.toBe('');
    expect(existsSync(join(target('other'), 'onnx/model.onnx'))).toBe(true);
  });

  test('arrives whole where the connection broke, and is not fetched again', async () => {
    hub.breakAfter('onnx/model.onnx', 20_000);
    await pull('org/roberta-reranker', 'resumed');
    expect(hub.downloads.filter(({ path }) => path === 'onnx/model.onnx')).toHaveLength(2);
    const original = readFileSync(join(folder, 'hub/roberta/onnx/model.onnx'));
    expect(readFileSync(join(target('resumed'), 'onnx/model.onnx')).equals(original)).toBe(true);
    hub.downloads.length = 0;
    await pull('org/roberta-reranker', 'resumed');
    expect(hub.downloads).toEqual([]);
  });

  test('goes on from what an interrupted download has left', async () => {
    const original = readFileSync(join(folder, 'hub/roberta/onnx/model.onnx'));
    mkdirSync(join(target('resumed'), 'onnx'), { recursive: true });
    writeFileSync(join(target('resumed'), 'onnx/model.onnx.partial'), original.subarray(0, 20_000));
    await pull('org/roberta-reranker', 'resumed');
    expect(hub.downloads.filter(({ path }) => path === 'onnx/model.onnx')).toEqual([
      { path: 'onnx/model.onnx', range: 'bytes=20000-' },
    ]);
    expect(readFileSync(join(target('resumed'), 'onnx/model.onnx')).equals(original)).toBe(true);
  });

  test.each(['onnx/model.onnx', 'tokenizer.json'])(
    'is refused where %s is not what the hub describes',
    async (path) => {
      hub.damage(path);
      await expect(pull('org/roberta-reranker', 'damaged')).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining(path),
      });
      expect(existsSync(join(target('damaged'), path))).toBe(false);
    },
  );

  test('comes from a known conversion where the repository has no ONNX files', async () => {
    expect(await pull('org/converted', 'converted')).toMatchObject({
      repository: 'onnx-community/converted-ONNX',
    });
    await expect(pull('org/bare', 'bare')).rejects.toMatchObject({ code: 'invalid' });
    await expect(pull('org/nowhere', 'nowhere')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('needs a hub that answers', async () => {
    await expect(
      pullModel({ endpoint: 'http://127.0.0.1:9' }, 'org/embed', target('x'), { precisions: [], signal }),
    ).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('HF_ENDPOINT') });
  });
});

describe('a folder that is added', () => {
  const change = (file: string, edit: (json: Record<string, unknown>) => void): string => {
    const dir = join(folder, 'hub/bert');
    const json = JSON.parse(readFileSync(join(dir, file), 'utf8')) as Record<string, unknown>;
    edit(json);
    writeFileSync(join(dir, file), JSON.stringify(json));
    return dir;
  };
  const importing = (dir: string) => importModel(dir, { name: 'added', license: 'MIT', source: 'test' });

  test('must say what it is and hold one number per pair', async () => {
    await expect(importing(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'invalid' });
    await expect(importing(join(folder, 'hub/bare'))).rejects.toMatchObject({
      message: expect.stringContaining('no ONNX file'),
    });
    const dir = change('config.json', (json) => {
      json.id2label = { 0: 'no', 1: 'yes' };
    });
    await expect(importing(dir)).rejects.toMatchObject({ message: expect.stringContaining('2 classes') });
  });

  test('keeps a golden value for each precision', async () => {
    const manifest = await importing(join(folder, 'hub/bert'));
    if (manifest.kind !== 'reranker') throw new Error('not a reranker');
    for (const { logit } of manifest.golden?.pairs ?? []) {
      expect(logit.fp16).toBeCloseTo(logit.fp32 as number, 1);
      expect(logit.int8).toBeCloseTo(logit.fp32 as number, 0);
    }
    expect(manifest.golden?.pairs).toHaveLength(4);
  });
});

describe('installed models', () => {
  test('are listed with what is wrong with them, and removed unless they ship', async () => {
    writeHubModel(join(modelsDir(), 'shipped'), { kind: 'bert' });
    await importModel(join(modelsDir(), 'shipped'), { name: 'shipped', license: 'MIT', source: 'test' });
    writeHubModel(target('pulled'), { kind: 'bert' });
    expect(await listModels(modelsDir())).toMatchObject([
      { name: 'shipped', shipped: true, manifest: { kind: 'reranker' } },
      { name: 'pulled', shipped: false, problem: expect.stringContaining('manifest.json') },
    ]);
    await expect(removeModel(modelsDir(), 'shipped')).rejects.toMatchObject({ code: 'invalid' });
    await expect(removeModel(modelsDir(), 'gone')).rejects.toMatchObject({ code: 'not-found' });
    await expect(removeModel(modelsDir(), '../shipped')).rejects.toMatchObject({ code: 'invalid' });
    await removeModel(modelsDir(), 'pulled');
    expect(existsSync(target('pulled'))).toBe(false);
  });

  test('are chosen for the next start, one for each purpose', () => {
    expect(readChosenModels(folder)).toEqual({});
    writeChosenModel(folder, 'reranker', 'big');
    writeChosenModel(folder, 'embedder', 'small');
    expect(readChosenModels(folder)).toEqual({ RERANK_MODEL: 'big', EMBED_MODEL: 'small' });
    writeFileSync(join(folder, 'models.json'), 'broken');
    expect(readChosenModels(folder)).toEqual({});
  });
});
