import { type ChildProcess, fork } from 'node:child_process';
import { childEntry } from '../child-entry.js';
import { AppError } from '../errors.js';
import type { Logger } from '../telemetry/logger.js';
import type {
  DeadlyDevice,
  EngineRequest,
  EngineStart,
  FromEngine,
  ModelStatus,
  ToEngine,
} from './engine-protocol.js';
import { fromPublicError } from './public-error.js';

type WithoutId<Request> = Request extends unknown ? Omit<Request, 'id'> : never;
export type EngineCall = WithoutId<EngineRequest>;

/** Keeps an inference process alive and its answers coming. */
export interface EngineSupervisor {
  /**
   * The process' answer. A call that the process died under is sent once more to the next one.
   *
   * @throws AppError what the process answered; `unavailable` while there is none; `overloaded`; `stopped`
   */
  call(request: EngineCall, options: { signal: AbortSignal }): Promise<unknown>;
  /** Settles when the first process has loaded what it can, or died over it, or the supervisor is closed. */
  loaded(): Promise<void>;
  /** As of the last load; null before the first. */
  statuses(): ModelStatus[] | null;
  /** Whether a process has died and the next one is not ready yet. */
  isDown(): boolean;
  restarts(): number;
  /** Of the process now running. */
  pid(): number | undefined;
  close(): Promise<void>;
}

interface Call {
  request: EngineRequest;
  sent: boolean;
  /** Whether a process has died under it already. */
  interrupted: boolean;
  resolve: (value: unknown) => void;
  reject: (error: AppError) => void;
}

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 30_000;
/** A process that lived this long starts the back-off anew. */
const STABLE_MS = 30_000;
const MAX_CALLS = 512;
const KEPT_STDERR = 2000;

export function startEngineSupervisor(
  start: Omit<EngineStart, 'type' | 'deadly'>,
  { logger }: { logger: Logger },
): EngineSupervisor {
  const calls = new Map<number, Call>();
  const deadly: DeadlyDevice[] = [];
  let child: ChildProcess | undefined;
  let state: 'starting' | 'up' | 'down' | 'closed' = 'starting';
  let statuses: ModelStatus[] | null = null;
  let trying: DeadlyDevice | undefined;
  let deathsInARow = 0;
  let restarts = 0;
  let nextId = 1;
  let timer: NodeJS.Timeout | undefined;
  let finishLoading: () => void = () => undefined;
  const firstLoad = new Promise<void>((resolve) => {
    finishLoading = resolve;
  });

  const send = (message: ToEngine): void => {
    // A process that has just died no longer takes messages; its exit settles the call.
    if (child?.connected) child.send(message, () => undefined);
  };
  const dispatch = (call: Call): void => {
    call.sent = true;
    send(call.request);
  };

  const receive = (message: FromEngine): void => {
    switch (message.type) {
      case 'trying':
        trying = { model: message.model, device: message.device };
        return;
      case 'tried':
        trying = undefined;
        return;
      case 'loaded':
        statuses = message.models;
        state = 'up';
        for (const call of calls.values()) dispatch(call);
        finishLoading();
        return;
      case 'reply':
        calls.get(message.id)?.resolve(message.value);
        return;
      case 'failure':
        calls.get(message.id)?.reject(fromPublicError(message.error));
        return;
    }
  };

  const spawn = (): void => {
    const { path, execArgv } = childEntry(import.meta.url, './engine-process');
    const process = fork(path, {
      execArgv,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const born = performance.now();
    let lastWords = '';
    child = process;
    trying = undefined;
    process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-KEPT_STDERR);
      logger.debug('inference process', { stderr: text });
    });
    process.on('message', (message) => receive(message as FromEngine));
    process.on('error', () => undefined);
    process.once('exit', (code, signal) => {
      if (state === 'closed') return;
      if (performance.now() - born > STABLE_MS) deathsInARow = 0;
      onDeath({ code, signal, lastWords });
    });
    send({ type: 'start', ...start, deadly });
  };

  const onDeath = (death: { code: number | null; signal: string | null; lastWords: string }): void => {
    state = 'down';
    if (trying !== undefined) deadly.push(trying);
    for (const call of calls.values()) {
      if (!call.sent) continue;
      if (call.interrupted) call.reject(new AppError('unavailable', 'The inference process died twice.'));
      call.interrupted = true;
      call.sent = false;
    }
    deathsInARow += 1;
    restarts += 1;
    const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (deathsInARow - 1));
    logger.warn('The inference process died and is started again.', { ...death, delay, tried: trying });
    timer = setTimeout(spawn, delay);
    finishLoading();
  };

  spawn();

  return {
    call(request, { signal }) {
      if (signal.aborted) return Promise.reject(abortError(signal));
      if (state === 'down' || state === 'closed') {
        return Promise.reject(
          new AppError('unavailable', 'The inference process is not running.', { retryAfterSeconds: 1 }),
        );
      }
      if (calls.size >= MAX_CALLS) {
        return Promise.reject(new AppError('overloaded', undefined, { retryAfterSeconds: 1 }));
      }
      const id = nextId++;
      return new Promise<unknown>((resolve, reject) => {
        const onAbort = (): void => {
          if (call.sent) send({ type: 'cancel', id });
          call.reject(abortError(signal));
        };
        const finish = (): void => {
          calls.delete(id);
          signal.removeEventListener('abort', onAbort);
        };
        const call: Call = {
          request: { ...request, id },
          sent: false,
          interrupted: false,
          resolve(value) {
            finish();
            resolve(value);
          },
          reject(error) {
            finish();
            reject(error);
          },
        };
        signal.addEventListener('abort', onAbort, { once: true });
        calls.set(id, call);
        if (state === 'up') dispatch(call);
      });
    },
    loaded: () => firstLoad,
    statuses: () => statuses,
    isDown: () => state === 'down',
    restarts: () => restarts,
    pid: () => child?.pid,
    async close() {
      if (state === 'closed') return;
      state = 'closed';
      clearTimeout(timer);
      finishLoading();
      for (const call of calls.values()) call.reject(new AppError('stopped'));
      const dying = child;
      if (dying === undefined || dying.exitCode !== null || dying.signalCode !== null) return;
      await new Promise<void>((resolve) => {
        dying.once('exit', () => resolve());
        // It holds nothing that must be written, and a run in progress cannot be asked to stop.
        dying.kill('SIGKILL');
      });
    },
  };
}

/** Why a signal aborted: a time limit or a caller who left. */
export function abortError(signal: AbortSignal): AppError {
  const timedOut = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
  return new AppError(timedOut ? 'timeout' : 'stopped', undefined, { cause: signal.reason });
}
