import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, toPublicError } from '../errors.js';
import { hasFastInt8 } from './device-choice.js';
import { createEnginePools, type EnginePools } from './engine-pools.js';
import type {
  EngineMetrics,
  EngineRequest,
  EngineStart,
  FromEngine,
  ModelStatus,
  RerankReply,
  ToEngine,
} from './engine-protocol.js';
import { modelDirOf } from './model-folders.js';
import { bestLogits, createPassageIdCache, preparePairs, prepareTexts, toUnitVector } from './model-input.js';
import { type LoadedModel, loadModel } from './model-loader.js';
import { readModelManifest } from './model-manifest.js';
import { knownDevices } from './onnx-session.js';

/**
 * The inference process: reads requests from the server, answers each exactly once, and ends with the server. Texts
 * become ids on its main thread; models run on the threads of the pools.
 */
const PASSAGE_CACHE_BYTES = 64e6;

const cache = createPassageIdCache(PASSAGE_CACHE_BYTES);
const models = new Map<string, LoadedModel>();
const statuses: ModelStatus[] = [];
const running = new Map<number, AbortController>();
let pools: EnginePools | undefined;
let tokenizeMilliseconds = 0;

process.on('message', (message: ToEngine) => {
  if (message.type === 'start') void start(message);
  else if (message.type === 'cancel') running.get(message.id)?.abort();
  else void answer(message);
});
// At once: an orderly exit would wait for a run that nobody wants any more.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// The terminal's interrupt reaches the whole group; the server decides when this process ends.
process.on('SIGINT', () => undefined);

async function start({ models: requests, modelsDir, deadly, cpuThreads }: EngineStart): Promise<void> {
  const sizes = await Promise.all(requests.map(({ name }) => largestFile(modelDirOf(modelsDir, name))));
  pools = createEnginePools({
    modelBytes: sizes.reduce((sum, size) => sum + size, 0),
    cpuThreads,
    onDeath: (reason) => {
      throw new Error('A thread of the inference process died.', { cause: reason });
    },
  });
  const machine = { known: knownDevices(), fastInt8: hasFastInt8() };
  for (const request of requests) {
    const { status, loaded } = await loadModel(request, {
      modelsDir,
      machine,
      pools,
      cache,
      deadly,
      onTry: (model, device) => send({ type: 'trying', model, device }),
      onTried: () => send({ type: 'tried' }),
    });
    statuses.push(status);
    if (loaded !== undefined) models.set(request.name, loaded);
  }
  pools.keepOnly(statuses.map(({ device }) => device));
  send({ type: 'loaded', models: statuses });
}

/** Zero where there is no model: loading it says why. */
async function largestFile(modelDir: string): Promise<number> {
  try {
    const { files } = await readModelManifest(modelDir);
    const sizes = files.map(async ({ path }) => (await stat(join(modelDir, path))).size);
    return Math.max(...(await Promise.all(sizes)));
  } catch {
    return 0;
  }
}

async function answer(request: EngineRequest): Promise<void> {
  const { id } = request;
  const controller = new AbortController();
  running.set(id, controller);
  try {
    send({ type: 'reply', id, value: await compute(request, controller.signal) });
  } catch (error) {
    send({ type: 'failure', id, error: toPublicError(error) });
  } finally {
    running.delete(id);
  }
}

async function compute(
  request: EngineRequest,
  signal: AbortSignal,
): Promise<RerankReply | Float32Array[] | EngineMetrics> {
  if (request.type === 'metrics') return metrics();
  const { manifest, tokenizer, scheduler } = modelOf(request.model);
  scheduler.ensureRoom();
  const input = {
    tokenizer,
    cache,
    onSpent: (milliseconds: number) => {
      tokenizeMilliseconds += milliseconds;
    },
  };
  const deadline = performance.now() + request.deadline - Date.now();
  const submission = { model: manifest.name, deadline, signal };
  if (request.type === 'rerank' && manifest.kind === 'reranker') {
    const { sequences, windows, truncated } = await preparePairs(
      request.question,
      request.texts,
      manifest,
      input,
    );
    const values = await scheduler.submit(sequences, submission);
    return { logits: bestLogits(values, windows), windows, truncated };
  }
  if (request.type === 'embed' && manifest.kind === 'embedder') {
    const sequences = await prepareTexts(request.texts, request.kind, manifest, input);
    return (await scheduler.submit(sequences, submission)).map(toUnitVector);
  }
  throw new AppError('unavailable', `The model ${manifest.name} is a ${manifest.kind}.`);
}

function modelOf(name: string): LoadedModel {
  const model = models.get(name);
  if (model !== undefined) return model;
  const reason = statuses.find((status) => status.name === name)?.reason;
  throw new AppError('unavailable', `The model ${name} is not ready${reason ? `: ${reason}` : '.'}`);
}

function metrics(): EngineMetrics {
  return {
    pools: pools?.counts() ?? {},
    passageIds: cache.counts(),
    tokenizeMilliseconds,
    residentBytes: process.memoryUsage.rss(),
  };
}

function send(message: FromEngine): void {
  process.send?.(message);
}
