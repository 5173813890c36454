import type { Device } from '../config.js';
import type { PublicError } from '../errors.js';
import type { CacheCounts } from './lru-cache.js';
import type { ModelKind, Precision } from './model-manifest.js';
import type { EngineDevice } from './onnx-session.js';
import type { SchedulerCounts } from './run-scheduler.js';

/** A model that the engine is to load. */
export interface ModelRequest {
  /** Folder below the models folder. */
  name: string;
  kind: ModelKind;
  device: Device;
}

export interface ModelStatus {
  name: string;
  kind: ModelKind;
  requestedDevice: Device;
  ready: boolean;
  /** Where it runs; null where it does not. */
  device: EngineDevice | null;
  precision: Precision | null;
  /** Threads with a session of their own, and threads within each. */
  sessions: number;
  threadsPerSession: number;
  /** Whether the golden pairs of the manifest were computed right; null where it has none. */
  golden: boolean | null;
  /** Why it is not ready, or why `auto` passed over a device. */
  reason: string | null;
  /** sha256 of the model file in use: scores of another file are other scores. */
  fingerprint: string | null;
}

/** A device on which the process died, so that it is not tried again. */
export interface DeadlyDevice {
  model: string;
  device: EngineDevice;
}

export interface EngineStart {
  type: 'start';
  modelsDir: string;
  models: ModelRequest[];
  deadly: DeadlyDevice[];
  /** Session threads on the CPU; all cores where absent. */
  cpuThreads?: number;
}

/** Deadlines are milliseconds since 1970. */
export type EngineRequest =
  | {
      type: 'rerank';
      id: number;
      model: string;
      question: string;
      texts: readonly string[];
      deadline: number;
    }
  | {
      type: 'embed';
      id: number;
      model: string;
      kind: 'query' | 'passage';
      texts: readonly string[];
      deadline: number;
    }
  | { type: 'metrics'; id: number };

export type ToEngine = EngineStart | EngineRequest | { type: 'cancel'; id: number };

export interface RerankReply {
  logits: number[];
  windows: number[];
  truncated: boolean[];
}

export interface EngineMetrics {
  /** Per pool: `cpu`, or the graphics device. */
  pools: Record<string, SchedulerCounts>;
  passageIds: CacheCounts;
  /** Milliseconds spent turning texts into sequences of ids. */
  tokenizeMilliseconds: number;
  residentBytes: number;
}

export type FromEngine =
  /** About to put a model on a device: if nothing more is heard, that killed the process. */
  | { type: 'trying'; model: string; device: EngineDevice }
  | { type: 'tried' }
  | { type: 'loaded'; models: ModelStatus[] }
  | { type: 'reply'; id: number; value: RerankReply | Float32Array[] | EngineMetrics }
  | { type: 'failure'; id: number; error: PublicError };
