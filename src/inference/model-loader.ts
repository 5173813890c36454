import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, toAppError } from '../errors.js';
import { type Attempt, attemptsFor, type Machine } from './device-choice.js';
import { type EnginePool, type EnginePools, packingRules } from './engine-pools.js';
import type { DeadlyDevice, ModelRequest, ModelStatus } from './engine-protocol.js';
import { checkGolden } from './golden-check.js';
import { modelDirOf } from './model-folders.js';
import type { PassageIdCache } from './model-input.js';
import { type ModelManifest, readModelManifest, verifyModelFile } from './model-manifest.js';
import { operatorsOnCpu } from './node-placement.js';
import type { EngineDevice, SessionOptions } from './onnx-session.js';
import type { RunScheduler } from './run-scheduler.js';
import type { SessionSlot } from './session-pool.js';
import { fillTemplate, type TokenSequence } from './tokenizer/sequence-template.js';
import { createTextTokenizer, type TextTokenizer } from './tokenizer/text-tokenizer.js';

/** A model that is ready to run. */
export interface LoadedModel {
  manifest: ModelManifest;
  tokenizer: TextTokenizer;
  scheduler: RunScheduler;
}

export interface ModelLoaderOptions {
  modelsDir: string;
  machine: Machine;
  pools: EnginePools;
  cache: PassageIdCache;
  deadly: readonly DeadlyDevice[];
  /** Called before and after a device is tried, so that a death in between can be blamed on it. */
  onTry: (model: string, device: EngineDevice) => void;
  onTried: () => void;
}

/** What became of one way to run a model. */
interface LoadedAttempt extends Attempt {
  pool: EnginePool;
  golden: boolean | null;
  /** Of the whole pool. */
  tokensPerMillisecond: number;
}

/** Loads a model on the best device that computes rightly. Never throws: what went wrong is the status' reason. */
export async function loadModel(
  request: ModelRequest,
  options: ModelLoaderOptions,
): Promise<{ status: ModelStatus; loaded?: LoadedModel }> {
  const modelDir = modelDirOf(options.modelsDir, request.name);
  const unready: ModelStatus = {
    name: request.name,
    kind: request.kind,
    requestedDevice: request.device,
    ready: false,
    device: null,
    precision: null,
    sessions: 0,
    threadsPerSession: 0,
    golden: null,
    reason: null,
    fingerprint: null,
  };
  try {
    const manifest = await readModelManifest(modelDir);
    if (manifest.kind !== request.kind) {
      throw new AppError('unavailable', `The model is not a ${request.kind} but a ${manifest.kind}.`);
    }
    const tokenizer = await readTokenizer(modelDir, manifest);
    const { chosen, passedOver } = await chooseAttempt(request, { modelDir, manifest, tokenizer }, options);
    const { pool, device, file, golden } = chosen;
    const rules = packingRules(device, file.precision);
    pool.scheduler.addModel(manifest.name, rules, pool.slots.length / chosen.tokensPerMillisecond);
    return {
      status: {
        ...unready,
        ready: true,
        device,
        precision: file.precision,
        sessions: pool.slots.length,
        threadsPerSession: pool.threadsPerSession,
        golden,
        reason: passedOver.length === 0 ? null : passedOver.join('; '),
        fingerprint: file.sha256,
      },
      loaded: { manifest, tokenizer, scheduler: pool.scheduler },
    };
  } catch (error) {
    return { status: { ...unready, reason: toAppError(error).message } };
  }
}

interface ModelOnDisk {
  modelDir: string;
  manifest: ModelManifest;
  tokenizer: TextTokenizer;
}

async function readTokenizer(modelDir: string, manifest: ModelManifest): Promise<TextTokenizer> {
  await verifyModelFile(modelDir, manifest.tokenizer);
  try {
    return createTextTokenizer(JSON.parse(await readFile(join(modelDir, manifest.tokenizer.path), 'utf8')));
  } catch (cause) {
    throw new AppError('unavailable', "The model's tokenizer cannot be used.", { cause });
  }
}

async function chooseAttempt(
  request: ModelRequest,
  model: ModelOnDisk,
  options: ModelLoaderOptions,
): Promise<{ chosen: LoadedAttempt; passedOver: string[] }> {
  const passedOver: string[] = [];
  let graphics: LoadedAttempt | undefined;
  for (const attempt of attemptsFor(request.device, model.manifest.files, options.machine)) {
    if (graphics !== undefined && attempt.device !== 'cpu') continue;
    const label = `${attempt.device} ${attempt.file.precision}`;
    try {
      const loaded = await tryAttempt(attempt, model, options);
      if (request.device !== 'auto') return { chosen: loaded, passedOver };
      if (loaded.device !== 'cpu') {
        graphics = loaded;
        continue;
      }
      if (graphics === undefined) return { chosen: loaded, passedOver };
      const [chosen, other] =
        graphics.tokensPerMillisecond > loaded.tokensPerMillisecond ? [graphics, loaded] : [loaded, graphics];
      passedOver.push(`${other.device} is slower here than ${chosen.device}`);
      return { chosen, passedOver };
    } catch (error) {
      passedOver.push(`${label}: ${toAppError(error).message}`);
    }
  }
  if (graphics !== undefined) return { chosen: graphics, passedOver };
  const asked = request.device === 'auto' ? 'No device can run it' : `${request.device} is not in use`;
  const why = passedOver.length === 0 ? 'the model has no file for it' : passedOver.join('; ');
  throw new AppError('unavailable', `${asked}: ${why}`);
}

async function tryAttempt(
  attempt: Attempt,
  model: ModelOnDisk,
  options: ModelLoaderOptions,
): Promise<LoadedAttempt> {
  const { device, file } = attempt;
  const { modelDir, manifest, tokenizer } = model;
  if (options.deadly.some((deadly) => deadly.model === manifest.name && deadly.device === device)) {
    throw new AppError('unavailable', 'the inference process died while trying it');
  }
  for (const part of [file, ...(file.external ?? [])]) await verifyModelFile(modelDir, part);

  options.onTry(manifest.name, device);
  const pool = options.pools.pool(device);
  const [first, ...others] = pool.slots as [SessionSlot, ...SessionSlot[]];
  const profileDir = await mkdtemp(join(tmpdir(), 'askbase-profile-'));
  try {
    const session: SessionOptions = {
      path: join(modelDir, file.path),
      device,
      threads: pool.threadsPerSession,
      padId: tokenizer.padId,
      output: manifest.kind === 'reranker' ? 'logit' : manifest.pooling,
    };
    const profiled = { ...session, profilePrefix: join(profileDir, 'run') };
    await first.load(manifest.name, device === 'cpu' ? session : profiled);
    const run = (sequence: TokenSequence): Promise<Float32Array> =>
      runAlone(first, manifest.name, [sequence]);
    if (device !== 'cpu') await refuseFallback(first, model, profileDir);
    const golden = await checkGolden(manifest, file.precision, { tokenizer, cache: options.cache, run });
    if (golden.passed === false) {
      throw new AppError(
        'unavailable',
        `it computes the golden pairs wrongly: off by ${golden.worst.toPrecision(3)}, allowed are ${golden.tolerance}`,
      );
    }
    await Promise.all(others.map((slot) => slot.load(manifest.name, session)));
    const tokensPerMillisecond = await warmUp(pool, attempt, model);
    return { ...attempt, pool, golden: golden.passed, tokensPerMillisecond };
  } finally {
    await rm(profileDir, { recursive: true, force: true });
    options.onTried();
  }
}

/** Profiles one run and refuses a device on which the runtime left the work to the CPU. */
async function refuseFallback(slot: SessionSlot, model: ModelOnDisk, profileDir: string): Promise<void> {
  const { manifest } = model;
  const sequence = fillerSequence(model, Math.min(32, manifest.maxLength));
  await runAlone(slot, manifest.name, [sequence]);
  await slot.endProfiling(manifest.name);
  const [profile] = await readdir(profileDir);
  if (profile === undefined)
    throw new AppError('unavailable', 'the runtime does not say where its nodes ran');
  const operators = await operatorsOnCpu(join(profileDir, profile), sequence.ids.length);
  if (operators.length > 0) {
    throw new AppError('unavailable', `these operators fell back to the CPU: ${operators.join(', ')}`);
  }
}

/**
 * The longest sequence once on every thread, so that memory is at its peak and the first question finds all warm; a
 * graphics device also gets a batch, unless the one sequence has shown that it is none to speak of.
 *
 * @returns tokens per millisecond of the whole pool
 */
async function warmUp(pool: EnginePool, attempt: Attempt, model: ModelOnDisk): Promise<number> {
  const { maxLength, name } = model.manifest;
  const { maxTokens, maxSequences } = packingRules(attempt.device, attempt.file.precision);
  const sequence = fillerSequence(model, Math.min(maxLength, maxTokens));
  const measure = async (sequences: TokenSequence[]): Promise<number> => {
    const speeds = await Promise.all(
      pool.slots.map(async (slot) => {
        await runAlone(slot, name, sequences);
        const start = performance.now();
        await runAlone(slot, name, sequences);
        const milliseconds = Math.max(0.01, performance.now() - start);
        return (sequences.length * sequence.ids.length) / milliseconds;
      }),
    );
    return speeds.reduce((sum, speed) => sum + speed, 0);
  };
  const alone = await measure([sequence]);
  if (attempt.device === 'cpu' || sequence.ids.length / alone > SLOW_MS) return alone;
  return measure(new Array(Math.min(maxSequences, WARM_UP_SEQUENCES)).fill(sequence));
}

const WARM_UP_SEQUENCES = 16;
const SLOW_MS = 50;

function fillerSequence({ tokenizer, manifest }: ModelOnDisk, length: number): TokenSequence {
  const isPair = manifest.kind === 'reranker';
  const template = isPair ? tokenizer.templates.pair : tokenizer.templates.single;
  const some = tokenizer.encode('warm up 热身');
  const filler = Int32Array.from(
    { length: Math.max(0, length - template.specialTokens) },
    (_, index) => some[index % some.length] ?? tokenizer.padId,
  );
  const half = Math.floor(filler.length / 2);
  const texts = isPair ? { A: filler.subarray(0, half), B: filler.subarray(half) } : { A: filler };
  return fillTemplate(template, texts);
}

async function runAlone(slot: SessionSlot, model: string, sequences: TokenSequence[]): Promise<Float32Array> {
  const paddedLength = Math.max(...sequences.map(({ ids }) => ids.length));
  const outcome = await slot.execute({ id: nextTestRun--, model, sequences, paddedLength });
  if (outcome === null) throw new AppError('internal');
  return outcome.values;
}

/** The scheduler counts its runs upwards from 1. */
let nextTestRun = -1;
