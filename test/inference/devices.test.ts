import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../src/config.js';
import { attemptsFor, type Machine } from '../../src/inference/device-choice.js';
import type { ModelStatus } from '../../src/inference/engine-protocol.js';
import { createInferenceEngine, type InferenceEngine } from '../../src/inference/inference-engine.js';
import { importModel } from '../../src/inference/model-import.js';
import type { ModelFile, Precision } from '../../src/inference/model-manifest.js';
import { operatorsOnCpu } from '../../src/inference/node-placement.js';
import { writeHubModel } from '../support/hub-model.js';
import { silentLogger } from '../support/silent-logger.js';

/** Debian's chromium brings a Vulkan loader and a driver that computes on the CPU. */
const CHROMIUM = '/usr/lib/chromium';
const SWIFTSHADER = { VK_ICD_FILENAMES: `${CHROMIUM}/vk_swiftshader_icd.json`, LD_LIBRARY_PATH: CHROMIUM };
const hasSwiftShader = existsSync(SWIFTSHADER.VK_ICD_FILENAMES) && existsSync(`${CHROMIUM}/libvulkan.so.1`);
const NO_DRIVER = { VK_ICD_FILENAMES: '/nonexistent.json', VK_DRIVER_FILES: '/nonexistent.json' };

let modelsDir: string;
const { signal } = new AbortController();

beforeAll(async () => {
  modelsDir = mkdtempSync(join(tmpdir(), 'askbase-devices-'));
  for (const kind of ['bert', 'roberta', 'modernbert'] as const) {
    writeHubModel(join(modelsDir, kind), { kind });
    await importModel(join(modelsDir, kind), { name: kind, license: 'MIT', source: 'test' });
  }
});
afterAll(() => rmSync(modelsDir, { recursive: true }));

/** The inference process inherits the environment, so it is changed around the start. */
async function withEngine<T>(
  variables: Record<string, string>,
  models: [string, Device][],
  run: (engine: InferenceEngine, statuses: ModelStatus[]) => Promise<T>,
): Promise<T> {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  const engine = await createInferenceEngine({
    modelsDir,
    models: models.map(([name, device]) => ({ name, kind: 'reranker', device })),
    logger: silentLogger,
    cpuThreads: 1,
  });
  for (const name of Object.keys(variables)) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  try {
    await engine.loaded();
    return await run(engine, engine.status());
  } finally {
    await engine.close();
  }
}

describe('a graphics device', () => {
  test.skipIf(!hasSwiftShader)(
    'computes the golden pairs of each architecture, and the same scores as the CPU',
    async () => {
      const texts = ['return the kettle within 30 days', '退货需要几天', 'invoices '.repeat(60), 'refund'];
      const names = ['bert', 'roberta', 'modernbert'];
      const rerankAll = (engine: InferenceEngine): Promise<number[][]> =>
        Promise.all(
          names.map(async (name) =>
            (await engine.rerank(name, 'refund 退货', texts, { signal })).map(({ logit }) => logit),
          ),
        );
      const onGraphics = await withEngine(
        SWIFTSHADER,
        names.map((name) => [name, 'webgpu']),
        (engine, statuses) => {
          expect(statuses).toMatchObject(
            names.map((name) => ({ name, ready: true, device: 'webgpu', golden: true, sessions: 1 })),
          );
          return rerankAll(engine);
        },
      );
      const onCpu = await withEngine(
        {},
        names.map((name) => [name, 'cpu']),
        rerankAll,
      );
      for (const [model, logits] of onGraphics.entries()) {
        for (const [index, logit] of logits.entries()) {
          expect(logit).toBeCloseTo(onCpu[model]?.[index] as number, 2);
        }
      }
    },
  );

  test.skipIf(!hasSwiftShader)(
    'that computes wrongly or slower is passed over by `auto`, which says so',
    async () => {
      await withEngine(SWIFTSHADER, [['bert', 'auto']], async (_, [status]) => {
        expect(status).toMatchObject({ ready: true, device: 'cpu', golden: true });
        expect(status?.reason).toContain('webgpu is slower here than cpu');
      });
    },
  );

  test('that was asked for and has no driver is not silently replaced by the CPU', async () => {
    await withEngine(NO_DRIVER, [['bert', 'webgpu']], async (engine, [status]) => {
      expect(status).toMatchObject({ ready: false, device: null, requestedDevice: 'webgpu' });
      expect(status?.reason).toMatch(/^webgpu is not in use: webgpu fp32: .*adapter/);
      await expect(engine.rerank('bert', 'a', ['b'], { signal })).rejects.toMatchObject({
        code: 'unavailable',
      });
    });
  });

  test.each(['cuda', 'dml', 'coreml'] as const)('%s without its libraries is reported', async (device) => {
    await withEngine({}, [['bert', device]], async (_, [status]) => {
      expect(status).toMatchObject({ ready: false, device: null });
      expect(status?.reason).toContain(`${device} is not in use`);
    });
  });
});

test('work that fell back to the CPU is told from what belongs there', async () => {
  const node = (provider: string, op_name: string, output: object) => ({
    cat: 'Node',
    args: { provider, op_name, output_type_shape: [output] },
  });
  const profile = join(modelsDir, 'profile.json');
  writeFileSync(
    profile,
    JSON.stringify([
      { cat: 'Session', args: {} },
      node('CPUExecutionProvider', 'Shape', { int64: [2] }),
      node('CPUExecutionProvider', 'Cast', { float: [1, 32] }),
      node('CPUExecutionProvider', 'Expand', { int64: [1, 1, 32, 32] }),
      node('CPUExecutionProvider', 'MatMul', { float: [1, 32, 384] }),
      node('CPUExecutionProvider', 'Gelu', { float16: [1, 32, 384] }),
      node('WebGpuExecutionProvider', 'Softmax', { float: [1, 12, 32, 32] }),
    ]),
  );
  expect(await operatorsOnCpu(profile, 32)).toEqual(['MatMul', 'Gelu']);
});

describe('what is tried', () => {
  const fileOf = (precision: Precision): ModelFile => ({ path: precision, precision, bytes: 1, sha256: '' });
  const all = (['fp32', 'fp16', 'int8'] as const).map(fileOf);
  const machine: Machine = { known: ['cpu', 'webgpu', 'cuda'], fastInt8: true };
  const tried = (device: Device, files = all, on = machine): string[] =>
    attemptsFor(device, files, on).map((attempt) => `${attempt.device} ${attempt.file.precision}`);

  test('is int8 first on a CPU with fast integer products, fp32 first on others', () => {
    expect(tried('cpu')).toEqual(['cpu int8', 'cpu fp32', 'cpu fp16']);
    expect(tried('cpu', all, { ...machine, fastInt8: false })[0]).toBe('cpu fp32');
  });

  test('is only the device that was asked for', () => {
    expect(tried('webgpu')).toEqual(['webgpu fp16', 'webgpu fp32']);
    expect(tried('cuda', [fileOf('int8')])).toEqual([]);
  });

  test('is for `auto` each graphics device the runtime knows, and the CPU last', () => {
    expect(tried('auto', all.slice(0, 1))).toEqual(['cuda fp32', 'webgpu fp32', 'cpu fp32']);
  });
});
