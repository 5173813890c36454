import { parentPort, Worker } from 'node:worker_threads';
import { type ChildEntry, threadUrl } from '../child-entry.js';
import { AppError, type ErrorCode, toAppError } from '../errors.js';

/** What a worker thread offers; arguments and results are structured-cloned. */
// biome-ignore lint/suspicious/noExplicitAny: a method may take anything that can be cloned
export type Methods = Record<string, (...args: any[]) => unknown>;

export interface WorkerClient<M extends Methods> {
  /**
   * Calls run one after the other, in the order they were made. A call whose signal has aborted when its turn comes
   * never runs; one that runs is not interrupted. Throws what the method threw, `stopped` on abort, `overloaded` where too
   * many wait, `unavailable` where the worker has died.
   */
  call<K extends keyof M & string>(
    method: K,
    args: Parameters<M[K]>,
    options?: { signal?: AbortSignal },
  ): Promise<ReturnType<M[K]>>;
  /** Lets the calls made so far finish, then ends the thread by its `close` method. */
  close(): Promise<void>;
}

interface CallMessage {
  id: number;
  method: string;
  args: unknown[];
}
interface ErrorMessage {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  cause: unknown;
}
type ReplyMessage = { id: number; result: unknown } | { id: number; error: ErrorMessage };

/** The id of the message that says whether the worker's set-up succeeded. */
const SET_UP = 0;
/** The thread works on one call while it has the next at hand; the others wait on our side, where they can leave. */
const IN_FLIGHT = 2;
const MAX_WAITING = 10_000;

interface PendingCall extends CallMessage {
  signal: AbortSignal | undefined;
  resolve(result: never): void;
  reject(error: AppError): void;
}

/** Starts a thread from a module that calls `serveMethods`; resolves when its set-up is done, throws what that threw. */
export async function startWorker<M extends Methods>(
  entry: ChildEntry,
  workerData: unknown,
): Promise<WorkerClient<M>> {
  const worker = new Worker(threadUrl(entry), { workerData, execArgv: [] });
  const waiting: PendingCall[] = [];
  const inFlight = new Map<number, PendingCall>();
  let lastId = SET_UP;
  let death: AppError | undefined;

  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const die = (cause: unknown): void => {
    death ??= new AppError('unavailable', 'A database thread has ended.', { cause });
    for (const call of [...inFlight.values(), ...waiting.splice(0)]) call.reject(death);
    inFlight.clear();
  };
  const sendNext = (): void => {
    while (inFlight.size < IN_FLIGHT) {
      const call = waiting.shift();
      if (call === undefined) return;
      if (call.signal?.aborted === true) {
        call.reject(new AppError('stopped', undefined, { cause: call.signal.reason }));
        continue;
      }
      inFlight.set(call.id, call);
      const { id, method, args } = call;
      worker.postMessage({ id, method, args } satisfies CallMessage);
    }
  };
  worker.on('message', (reply: ReplyMessage) => {
    const call = inFlight.get(reply.id);
    inFlight.delete(reply.id);
    if ('error' in reply) call?.reject(fromErrorMessage(reply.error));
    else call?.resolve(reply.result as never);
    sendNext();
  });
  worker.once('error', die);
  worker.once('exit', (code) => die(new Error(`exit code ${code}`)));

  const client: WorkerClient<M> = {
    call: (method, args, { signal } = {}) =>
      new Promise((resolve, reject) => {
        if (death !== undefined) return reject(death);
        if (waiting.length >= MAX_WAITING) return reject(new AppError('overloaded'));
        lastId += 1;
        const call: PendingCall = { id: lastId, method, args, signal, resolve, reject };
        waiting.push(call);
        sendNext();
      }),
    close: async () => {
      if (death === undefined) await client.call('close', [] as never).catch(() => undefined);
      await exited;
    },
  };

  await new Promise<void>((resolve, reject) => {
    inFlight.set(SET_UP, { id: SET_UP, method: '', args: [], signal: undefined, resolve, reject });
  });
  return client;
}

/** Runs in the worker: `setUp` opens what the methods need; the method `close` must release it. */
export function serveMethods(setUp: () => Methods & { close(): void }): void {
  const port = parentPort;
  if (port === null) throw new Error('serveMethods runs in a worker thread');
  const reply = (id: number, run: () => unknown): void => {
    try {
      port.postMessage({ id, result: run() } satisfies ReplyMessage);
    } catch (thrown) {
      port.postMessage({ id, error: toErrorMessage(thrown) } satisfies ReplyMessage);
    }
  };
  let methods: Methods | undefined;
  reply(SET_UP, () => {
    methods = setUp();
  });
  if (methods === undefined) return;
  const offered = methods;
  port.on('message', ({ id, method, args }: CallMessage) => {
    reply(id, () => offered[method]?.(...args));
    if (method === 'close') port.close();
  });
}

function toErrorMessage(thrown: unknown): ErrorMessage {
  const { code, message, retryable, cause } = toAppError(thrown);
  return { code, message, retryable, cause: cause instanceof Error ? (cause.stack ?? cause.message) : cause };
}

function fromErrorMessage({ code, message, retryable, cause }: ErrorMessage): AppError {
  return new AppError(code, message, { retryable, cause });
}
