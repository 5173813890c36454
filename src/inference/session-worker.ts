import { parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { toPublicError } from '../errors.js';
import { createModelSession, type ModelSession } from './onnx-session.js';
import type { WorkerReply, WorkerRequest } from './session-worker-protocol.js';

/**
 * The thread that runs models, one run after the other. A run cannot be interrupted, so right before each one the
 * thread looks whether a cancellation has come in meanwhile.
 */
if (parentPort === null) throw new Error('This file is the start of a worker thread.');
const port = parentPort;
const sessions = new Map<string, ModelSession>();
const waiting: WorkerRequest[] = [];
const cancelled = new Set<number>();
let working = false;

port.on('message', (request: WorkerRequest) => {
  take(request);
  void work();
});

function take(request: WorkerRequest): void {
  if (request.type === 'cancel') cancelled.add(request.run);
  else waiting.push(request);
}

async function work(): Promise<void> {
  if (working) return;
  working = true;
  for (let request = waiting.shift(); request !== undefined; request = waiting.shift()) {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      take(next.message as WorkerRequest);
    }
    await handle(request);
  }
  cancelled.clear();
  working = false;
}

async function handle(request: WorkerRequest): Promise<void> {
  switch (request.type) {
    case 'load':
      return load(request);
    case 'run':
      return run(request);
    case 'end-profiling':
      sessions.get(request.model)?.endProfiling();
      return reply({ type: 'profiling-ended', model: request.model });
  }
}

async function load({ model, options }: WorkerRequest & { type: 'load' }): Promise<void> {
  try {
    sessions.set(model, await createModelSession(options));
    reply({ type: 'loaded', model });
  } catch (error) {
    reply({ type: 'load-failed', model, error: toPublicError(error) });
  }
}

async function run({ run, model, batch }: WorkerRequest & { type: 'run' }): Promise<void> {
  if (cancelled.delete(run)) return reply({ type: 'skipped', run });
  try {
    const start = performance.now();
    const session = sessions.get(model) as ModelSession;
    const outcome = await session.run(batch);
    const milliseconds = performance.now() - start;
    port.postMessage({ type: 'done', run, milliseconds, ...outcome } satisfies WorkerReply, [
      outcome.values.buffer as ArrayBuffer,
    ]);
  } catch (error) {
    reply({ type: 'failed', run, error: toPublicError(error) });
  }
}

function reply(message: WorkerReply): void {
  port.postMessage(message);
}
