import { hash } from 'node:crypto';
import type { Logger } from '../telemetry/logger.js';
import type { RerankScore } from '../types.js';
import type { EngineMetrics, ModelRequest, ModelStatus, RerankReply } from './engine-protocol.js';
import { abortError, type EngineCall, startEngineSupervisor } from './engine-supervisor.js';
import { type CacheCounts, createBoundedCache } from './lru-cache.js';
import { modelDirOf } from './model-folders.js';
import { type ModelManifest, readModelManifest } from './model-manifest.js';
import { sigmoid } from './sigmoid.js';

/** Everything that can be counted about the engine, for `/metrics` and benches. */
export interface EngineSnapshot {
  restarts: number;
  scores: CacheCounts;
  /** Null while the process is down or does not answer. */
  process: EngineMetrics | null;
}

/** The inference process as the rest of the server sees it: models by name, texts in, numbers out. */
export interface InferenceEngine {
  /** Settles when every model is loaded or known not to be; it never rejects, `status` says how it went. */
  loaded(): Promise<void>;
  /** What the model's folder says of itself; undefined where it is not installed. */
  manifest(model: string): ModelManifest | undefined;
  /** One entry per model asked for, in that order. While the process is down, none is ready. */
  status(): ModelStatus[];
  /** @throws AppError as the `Reranker` port says */
  rerank(
    model: string,
    question: string,
    texts: readonly string[],
    options: { signal: AbortSignal },
  ): Promise<RerankScore[]>;
  /** @throws AppError as the `Embedder` port says */
  embed(
    model: string,
    texts: readonly string[],
    options: { kind: 'query' | 'passage'; signal: AbortSignal },
  ): Promise<Float32Array[]>;
  snapshot(): Promise<EngineSnapshot>;
  /** Of the inference process now running. */
  pid(): number | undefined;
  close(): Promise<void>;
}

export interface InferenceEngineOptions {
  modelsDir: string;
  models: readonly ModelRequest[];
  logger: Logger;
  /** Session threads on the CPU; one per core where absent. */
  cpuThreads?: number;
}

/** The latest thousand questions with fifty candidates each, in some 10 MB. */
const MAX_SCORES = 50_000;
/** How long a request may take, waiting included; indexing sends bigger ones. */
const RERANK_MS = 30_000;
const EMBED_MS = 120_000;
const SNAPSHOT_MS = 1000;

/** Starts the inference process and returns at once; requests wait for the first load. */
export async function createInferenceEngine(options: InferenceEngineOptions): Promise<InferenceEngine> {
  const { modelsDir, models, logger } = options;
  const manifests = new Map<string, ModelManifest>();
  for (const { name } of models) {
    await readModelManifest(modelDirOf(modelsDir, name)).then(
      (manifest) => manifests.set(name, manifest),
      () => undefined,
    );
  }
  const supervisor = startEngineSupervisor(
    {
      modelsDir,
      models: [...models],
      ...(options.cpuThreads === undefined ? {} : { cpuThreads: options.cpuThreads }),
    },
    { logger },
  );
  void supervisor.loaded().then(() => logModels(supervisor.statuses() ?? [], logger));
  const scores = createBoundedCache<RerankScore>({ maxSize: MAX_SCORES, sizeOf: () => 1 });

  const call = (request: EngineCall, milliseconds: number, signal: AbortSignal): Promise<unknown> =>
    supervisor.call(request, { signal: AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]) });
  const scoreKeys = (model: string, question: string, texts: readonly string[]): string[] | null => {
    const fingerprint = supervisor.statuses()?.find(({ name }) => name === model)?.fingerprint;
    if (!fingerprint) return null;
    const asked = `${fingerprint}${hash('sha256', question, 'base64')}`;
    // One flat string of 32 bytes: joined ones would weigh more than the scores they stand for.
    return texts.map((text) => hash('sha256', `${asked}${hash('sha256', text, 'base64')}`, 'binary'));
  };

  return {
    loaded: supervisor.loaded,
    manifest: (model) => manifests.get(model),
    pid: supervisor.pid,
    close: supervisor.close,
    status: () => currentStatus(models, supervisor.statuses(), supervisor.isDown()),
    async rerank(model, question, texts, { signal }) {
      await untilLoaded(supervisor.loaded(), signal);
      const keys = scoreKeys(model, question, texts);
      const known = texts.map((_, index) => (keys === null ? undefined : scores.get(keys[index] as string)));
      const missing = texts.flatMap((_, index) => (known[index] === undefined ? [index] : []));
      if (missing.length > 0) {
        const reply = (await call(
          {
            type: 'rerank',
            model,
            question,
            texts: missing.map((index) => texts[index] as string),
            deadline: Date.now() + RERANK_MS,
          },
          RERANK_MS,
          signal,
        )) as RerankReply;
        for (const [place, index] of missing.entries()) {
          const score = toScore(reply, place);
          known[index] = score;
          if (keys !== null) scores.set(keys[index] as string, score);
        }
      }
      return known.map((score) => ({ ...(score as RerankScore) }));
    },
    async embed(model, texts, { kind, signal }) {
      const deadline = Date.now() + EMBED_MS;
      return (await call(
        { type: 'embed', model, kind, texts, deadline },
        EMBED_MS,
        signal,
      )) as Float32Array[];
    },
    async snapshot() {
      const process = await call({ type: 'metrics' }, SNAPSHOT_MS, new AbortController().signal).catch(
        () => null,
      );
      return {
        restarts: supervisor.restarts(),
        scores: scores.counts(),
        process: process as EngineMetrics | null,
      };
    },
  };
}

function toScore({ logits, windows, truncated }: RerankReply, index: number): RerankScore {
  const logit = logits[index] as number;
  return {
    logit,
    sigmoid: sigmoid(logit),
    windows: windows[index] as number,
    truncated: truncated[index] as boolean,
  };
}

async function untilLoaded(loaded: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw abortError(signal);
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  await Promise.race([loaded, aborted]).finally(() => signal.removeEventListener('abort', onAbort));
}

function currentStatus(
  models: readonly ModelRequest[],
  statuses: ModelStatus[] | null,
  isDown: boolean,
): ModelStatus[] {
  const waiting = models.map(
    ({ name, kind, device }): ModelStatus => ({
      name,
      kind,
      requestedDevice: device,
      ready: false,
      device: null,
      precision: null,
      sessions: 0,
      threadsPerSession: 0,
      golden: null,
      reason: 'The models are being loaded.',
      fingerprint: null,
    }),
  );
  const known = statuses ?? waiting;
  if (!isDown) return known.map((status) => ({ ...status }));
  return known.map((status) => ({
    ...status,
    ready: false,
    reason:
      status.ready || statuses === null
        ? 'The inference process died and is being started again.'
        : status.reason,
  }));
}

function logModels(statuses: readonly ModelStatus[], logger: Logger): void {
  for (const status of statuses) {
    const { name, kind, device, precision, sessions, threadsPerSession, golden, reason } = status;
    if (status.ready) {
      const fields = { device, precision, sessions, threadsPerSession, golden, reason };
      logger.info(`The ${kind} ${name} runs on ${device}.`, fields);
    } else {
      logger.error(`The ${kind} ${name} is not in use: ${reason}`, {
        requestedDevice: status.requestedDevice,
      });
    }
  }
}
