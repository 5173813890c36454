import { type ChildProcess, fork } from 'node:child_process';
import { childEntry } from '../child-entry.js';
import { AppError } from '../errors.js';
import { createKeyedQueue } from './keyed-queue.js';
import type { ReadDocument, ReadJob, ReadReply } from './reader-protocol.js';

/** Reads files and cuts them into passages, away from the event loop. Whoever creates it closes it. */
export interface DocumentReader {
  /**
   * One file at a time, in the order of the calls. Throws AppError `unreadable` naming file and reason (also where
   * reading took too long or broke the process), `overloaded` where too many wait, `stopped` when the signal aborts.
   */
  read(job: ReadJob, options: { signal: AbortSignal }): Promise<ReadDocument>;
  /** Ends the process; what is being read or waits throws `stopped`. */
  close(): Promise<void>;
}

interface DocumentReaderOptions {
  /** Milliseconds that one file may take. */
  timeLimitMs?: number;
  /** Megabytes of JavaScript heap; the process ends where a file needs more. */
  heapLimitMb?: number;
}

const TIME_LIMIT_MS = 60_000;
/** Milliseconds until the process has taken a job: it may have to start first. */
const START_LIMIT_MS = 60_000;
const HEAP_LIMIT_MB = 1024;
/** Files come in bursts: the process stays this long for the next one. */
const IDLE_MS = 30_000;
const MAX_WAITING = 1000;
const ENTRY = childEntry(import.meta.url, './reader-process');

/**
 * The readers run in a process of their own: parsers of PDF, Office and HTML files are busy for seconds, and a hostile
 * file can hang them or use up their memory. The process sees no environment, so no secrets either.
 */
export function createDocumentReader(options: DocumentReaderOptions = {}): DocumentReader {
  const { timeLimitMs = TIME_LIMIT_MS, heapLimitMb = HEAP_LIMIT_MB } = options;
  const queue = createKeyedQueue({ maxWaiting: MAX_WAITING });
  let child: ChildProcess | undefined;
  let idle: NodeJS.Timeout | undefined;
  let closed = false;

  const start = (): ChildProcess => {
    const started = fork(ENTRY.path, {
      execArgv: [...ENTRY.execArgv, `--max-old-space-size=${heapLimitMb}`],
      env: {},
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    // Whoever waits for an answer hears of it by `exchange`; between files nobody needs to.
    started
      .on('error', () => undefined)
      .once('exit', () => {
        if (child === started) child = undefined;
      });
    return started;
  };
  const stop = (): void => {
    child?.kill('SIGKILL');
    child = undefined;
  };
  const rest = (): void => {
    if (closed) return;
    child?.unref();
    child?.channel?.unref();
    idle = setTimeout(stop, IDLE_MS).unref();
  };
  const wake = (): ChildProcess => {
    if (closed) throw new AppError('stopped');
    clearTimeout(idle);
    child ??= start();
    child.ref();
    child.channel?.ref();
    return child;
  };

  return {
    read: (job, { signal }) =>
      queue.run(
        '',
        async () => {
          try {
            return await exchange(wake(), job, { timeLimitMs, signal });
          } catch (thrown) {
            if (!(thrown instanceof Refusal)) stop();
            throw closed ? new AppError('stopped') : toAppError(job.documentId, thrown);
          } finally {
            rest();
          }
        },
        { signal },
      ),
    close: async () => {
      closed = true;
      clearTimeout(idle);
      stop();
    },
  };
}

/** The file was refused in good order: the process can go on. */
class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** The file broke the process, or held it too long. */
class Breakdown extends Error {
  override readonly name = 'Breakdown';
}

function exchange(
  child: ChildProcess,
  job: ReadJob,
  { timeLimitMs, signal }: { timeLimitMs: number; signal: AbortSignal },
): Promise<ReadDocument> {
  const { promise, resolve, reject } = withResolvers<ReadDocument>();
  const giveUpAfter = (milliseconds: number): NodeJS.Timeout =>
    setTimeout(() => {
      reject(new Breakdown(`reading it took longer than ${milliseconds / 1000} seconds`));
    }, milliseconds);
  let timer = giveUpAfter(START_LIMIT_MS);
  const onMessage = (reply: ReadReply): void => {
    if ('document' in reply) resolve(reply.document);
    else if ('reason' in reply) reject(new Refusal(reply.reason, { cause: reply.detail }));
    else {
      clearTimeout(timer);
      timer = giveUpAfter(timeLimitMs);
    }
  };
  const onExit = (code: number | null, killedBy: string | null): void => {
    reject(
      new Breakdown('reading it took too much memory or broke the reader', {
        cause: `exit ${code ?? killedBy}`,
      }),
    );
  };
  const onAbort = (): void => reject(new AppError('stopped', undefined, { cause: signal.reason }));
  child.on('message', onMessage).once('exit', onExit).once('error', reject);
  signal.addEventListener('abort', onAbort, { once: true });
  child.send(job, (error) => {
    if (error !== null) reject(new Breakdown('the reader could not be reached', { cause: error }));
  });
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    child.off('message', onMessage).off('exit', onExit).off('error', reject);
  });
}

function toAppError(documentId: string, thrown: unknown): unknown {
  if (!(thrown instanceof Refusal || thrown instanceof Breakdown)) return thrown;
  return new AppError('unreadable', `${documentId}: ${thrown.message}`, { cause: thrown.cause ?? thrown });
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
