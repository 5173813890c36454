import { setTimeout as wait } from 'node:timers/promises';
import { QdrantClient } from '@qdrant/js-client-rest';
import { AppError } from '../errors.js';

export type QdrantApi = ReturnType<QdrantClient['api']>;

export interface QdrantAddress {
  url: string;
  apiKey?: string;
}

interface SendOptions {
  signal?: AbortSignal;
  /** Milliseconds for one attempt. */
  timeout: number;
}

/**
 * Sends a request that may be repeated without harm (all of ours may: ids are deterministic), and repeats it where the
 * server was unreachable, busy or slow. Throws AppError.
 */
export type SendToQdrant = <T>(
  request: (api: QdrantApi, init: RequestInit) => Promise<{ data: { result?: T } }>,
  options: SendOptions,
) => Promise<T>;

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 100;

export function createQdrantRequests({ url, apiKey }: QdrantAddress): SendToQdrant {
  const { origin, pathname } = new URL(url);
  const api = new QdrantClient({
    url: origin,
    prefix: pathname.replace(/\/$/, ''),
    // By header: given as `apiKey` over http, the client writes a warning to the console.
    headers: apiKey === undefined ? {} : { 'api-key': apiKey },
    // Asks the server's version at construction and writes to the console where it cannot.
    checkCompatibility: false,
    // The client's own timer would take the place of our signal.
    timeout: Number.POSITIVE_INFINITY,
  }).api();

  return async (request, { signal, timeout }) => {
    for (let attempt = 1; ; attempt += 1) {
      const attemptSignal = AbortSignal.any([
        AbortSignal.timeout(timeout),
        ...(signal === undefined ? [] : [signal]),
      ]);
      try {
        signal?.throwIfAborted();
        const { data } = await request(api, { signal: attemptSignal });
        if (data.result === undefined) throw new Error('the reply has no result');
        return data.result;
      } catch (thrown) {
        const error = translateQdrantError(thrown, signal);
        if (!error.retryable || error.code === 'stopped' || attempt === ATTEMPTS) throw error;
        // Full jitter: clients that failed together do not come back together.
        const pause = Math.random() * FIRST_PAUSE_MS * 2 ** attempt;
        await wait(Math.max(pause, (error.retryAfterSeconds ?? 0) * 1000), undefined, { signal }).catch(
          () => {
            throw new AppError('stopped', undefined, { cause: thrown });
          },
        );
      }
    }
  };
}

function translateQdrantError(thrown: unknown, signal: AbortSignal | undefined): AppError {
  const { status, retry_after: retryAfterSeconds, name } = thrown as Record<string, unknown>;
  if (signal?.aborted === true) return new AppError('stopped', undefined, { cause: thrown });
  const unavailable = (message: string, retryable: boolean): AppError =>
    new AppError('unavailable', message, {
      cause: thrown,
      retryable,
      ...(typeof retryAfterSeconds === 'number' ? { retryAfterSeconds } : {}),
    });
  if (name === 'TimeoutError') return unavailable('The search engine did not answer in time.', true);
  if (typeof retryAfterSeconds === 'number' || status === 429)
    return unavailable('The search engine is busy.', true);
  if (typeof status !== 'number') return unavailable('The search engine cannot be reached.', true);
  if (status >= 500) return unavailable('The search engine has a problem of its own.', true);
  if (status === 401 || status === 403) return unavailable('The search engine refused our key.', false);
  if (status === 404) return unavailable('The search engine has no such collection.', false);
  if (status === 409)
    return new AppError('conflict', 'The search engine has that already.', { cause: thrown });
  return new AppError('internal', 'The search engine refused a request.', {
    cause: thrown,
    retryable: false,
  });
}

/** Whether the server said that what was asked for is not there. */
export function isMissing(thrown: unknown): boolean {
  return thrown instanceof AppError && (thrown.cause as { status?: unknown } | undefined)?.status === 404;
}
