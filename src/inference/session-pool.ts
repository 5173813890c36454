import { Worker } from 'node:worker_threads';
import { childEntry, threadUrl } from '../child-entry.js';
import type { SequenceBatch, SessionOptions } from './onnx-session.js';
import { fromPublicError } from './public-error.js';
import type { ModelRun, RunSlot } from './run-scheduler.js';
import type { WorkerReply, WorkerRequest } from './session-worker-protocol.js';

/** A thread with sessions of its own. */
export interface SessionSlot extends RunSlot {
  /** @throws AppError `unavailable` */
  load(model: string, options: SessionOptions): Promise<void>;
  endProfiling(model: string): Promise<void>;
  end(): void;
}

/** @param onDeath called when the thread dies by itself, which it never should */
export function startSessionSlot(onDeath: (reason: unknown) => void): SessionSlot {
  const worker = new Worker(threadUrl(childEntry(import.meta.url, './session-worker')), { execArgv: [] });
  let ended = false;
  const runs = new Map<number, (reply: WorkerReply & { run: number }) => void>();
  const loads = new Map<string, (reply: WorkerReply) => void>();

  worker.on('message', (reply: WorkerReply) => {
    if ('run' in reply) {
      runs.get(reply.run)?.(reply);
      runs.delete(reply.run);
    } else {
      loads.get(reply.model)?.(reply);
      loads.delete(reply.model);
    }
  });
  worker.on('error', onDeath);
  worker.on('exit', (code) => {
    if (!ended) onDeath(new Error(`A worker thread ended with code ${code}.`));
  });

  const ask = (model: string, request: WorkerRequest): Promise<WorkerReply> =>
    new Promise((resolve) => {
      loads.set(model, resolve);
      worker.postMessage(request);
    });

  return {
    async load(model, options) {
      const reply = await ask(model, { type: 'load', model, options });
      if (reply.type === 'load-failed') throw fromPublicError(reply.error);
    },
    async endProfiling(model) {
      await ask(model, { type: 'end-profiling', model });
    },
    execute: (run) =>
      new Promise((resolve, reject) => {
        runs.set(run.id, (reply) => {
          if (reply.type === 'done') resolve(reply);
          else if (reply.type === 'skipped') resolve(null);
          else reject(fromPublicError((reply as WorkerReply & { type: 'failed' }).error));
        });
        const batch = toBatch(run);
        const request: WorkerRequest = { type: 'run', run: run.id, model: run.model, batch };
        worker.postMessage(request, [
          batch.ids.buffer,
          batch.types.buffer,
          batch.lengths.buffer,
        ] as ArrayBuffer[]);
      }),
    end() {
      ended = true;
      void worker.terminate();
    },
    cancel: (run) => worker.postMessage({ type: 'cancel', run } satisfies WorkerRequest),
  };
}

function toBatch({ sequences, paddedLength }: ModelRun): SequenceBatch {
  const lengths = Int32Array.from(sequences, ({ ids }) => ids.length);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const batch = { ids: new Int32Array(total), types: new Uint8Array(total), lengths, paddedLength };
  let offset = 0;
  for (const { ids, types } of sequences) {
    batch.ids.set(ids, offset);
    batch.types.set(types, offset);
    offset += ids.length;
  }
  return batch;
}
