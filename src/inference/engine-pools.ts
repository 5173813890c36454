import { availableParallelism } from 'node:os';
import type { EngineDevice } from './onnx-session.js';
import type { PackingRules } from './run-packer.js';
import { createRunScheduler, type RunScheduler, type SchedulerCounts } from './run-scheduler.js';
import { type SessionSlot, startSessionSlot } from './session-pool.js';

/** The threads of one device and the queue before them. */
export interface EnginePool {
  slots: readonly SessionSlot[];
  scheduler: RunScheduler;
  threadsPerSession: number;
}

export interface EnginePools {
  /** Started when first asked for. */
  pool(device: EngineDevice): EnginePool;
  /** Ends the threads of devices that were tried but are not in use. */
  keepOnly(devices: readonly (EngineDevice | null)[]): void;
  counts(): Record<string, SchedulerCounts>;
}

/** Tokens that may wait at a device: some seconds to a minute of work, by the model. */
const MAX_QUEUED_TOKENS = 500_000;
/** What a session takes beside and above its file: prepacked weights, buffers of the largest run. */
const SESSION_FACTOR = 2;
const SESSION_BYTES = 100e6;
/** Share of the free memory that sessions may take. */
const MEMORY_SHARE = 0.6;

/**
 * On the CPU one single-threaded session per core, fewer and wider ones where memory is short; on a graphics device
 * one session, since it is the device that works in parallel (and concurrent WebGPU sessions are known to crash).
 *
 * @param modelBytes size of all model files that each CPU thread may have to load
 */
export function createEnginePools(options: {
  modelBytes: number;
  cpuThreads: number | undefined;
  onDeath: (reason: unknown) => void;
}): EnginePools {
  const pools = new Map<EngineDevice, EnginePool>();
  const start = (device: EngineDevice): EnginePool => {
    const cores = options.cpuThreads ?? availableParallelism();
    const size = device === 'cpu' ? sessionsThatFit(cores, options.modelBytes) : 1;
    const slots = Array.from({ length: size }, () => startSessionSlot(options.onDeath));
    return {
      slots,
      scheduler: createRunScheduler({ slots, maxQueuedTokens: MAX_QUEUED_TOKENS }),
      threadsPerSession: device === 'cpu' ? Math.max(1, Math.floor(cores / size)) : 1,
    };
  };
  return {
    pool(device) {
      const pool = pools.get(device) ?? start(device);
      pools.set(device, pool);
      return pool;
    },
    keepOnly(devices) {
      for (const [device, { slots }] of pools) {
        if (devices.includes(device)) continue;
        for (const slot of slots) slot.end();
        pools.delete(device);
      }
    },
    counts: () =>
      Object.fromEntries([...pools].map(([device, { scheduler }]) => [device, scheduler.counts()])),
  };
}

function sessionsThatFit(cores: number, modelBytes: number): number {
  const perSession = SESSION_FACTOR * modelBytes + SESSION_BYTES;
  const fitting = Math.floor((MEMORY_SHARE * process.availableMemory()) / perSession);
  return Math.max(1, Math.min(cores, fitting));
}

/**
 * On the CPU runs stay small: a core is used well from some 64 tokens on, and beyond 256 its cache no longer holds them. Dynamic
 * int8 takes its scale from the whole run, so there a sequence goes alone and its score is its own.
 */
export function packingRules(device: EngineDevice, precision: string): PackingRules {
  if (device !== 'cpu') {
    return {
      maxTokens: 16_384,
      maxSequences: 256,
      lengthStep: 32,
      maxPadding: 0.25,
    };
  }
  const maxSequences = precision === 'int8' ? 1 : 64;
  return { maxTokens: 256, maxSequences, lengthStep: 1, maxPadding: 0.04 };
}
