import { setTimeout as wait } from 'node:timers/promises';
import { QdrantClient } from '@qdrant/js-client-rest';
import { AppError, toAppError } from '../errors.js';
import { type CircuitBreaker, createCircuitBreaker } from './circuit-breaker.js';

export type QdrantApi = ReturnType<QdrantClient['api']>;

export interface QdrantAddress {
  /** Of one server, or of the nodes of a cluster: one is kept to, and the next is asked where it fails. */
  urls: readonly string[];
  apiKey?: string;
}

interface SendOptions {
  signal?: AbortSignal;
  /** Milliseconds for one attempt. */
  timeout: number;
}

/**
 * Sends a request that may be repeated without harm (all of ours may: ids are deterministic), and repeats it where the
 * server was unreachable, busy or slow, at another node where there is one. A node that failed several times in a row is
 * left alone for a while. Throws AppError.
 */
export type SendToQdrant = <T>(
  request: (api: QdrantApi, init: RequestInit) => Promise<{ data: { result?: T } }>,
  options: SendOptions,
) => Promise<T>;

export interface QdrantRequests {
  send: SendToQdrant;
  /** One per node, by host and port. */
  circuits: ReadonlyMap<string, CircuitBreaker>;
}

interface Node {
  host: string;
  api: QdrantApi;
  circuit: CircuitBreaker;
}

const FIRST_PAUSE_MS = 100;

export function createQdrantRequests({ urls, apiKey }: QdrantAddress): QdrantRequests {
  const nodes = urls.map((url): Node => {
    const circuit = createCircuitBreaker({ judge: judgeFailure });
    return { host: new URL(url).host, api: connect(url, apiKey), circuit };
  });
  // Each node gets a try, and the last two more.
  const attempts = nodes.length + 2;
  // Servers of ours spread by chance; each keeps to its node, since another may not have heard yet of a new collection.
  let preferred = Math.floor(Math.random() * nodes.length);
  const nextNode = (): Node | undefined => {
    const inTurn = [...nodes.slice(preferred), ...nodes.slice(0, preferred)];
    const node = inTurn.find(({ circuit }) => circuit.waitMs === 0);
    if (node !== undefined) preferred = nodes.indexOf(node);
    return node;
  };

  const send: SendToQdrant = async (request, { signal, timeout }) => {
    let failure: AppError | undefined;
    for (let attempt = 1; ; attempt += 1) {
      const node = nextNode();
      if (node === undefined) throw failure ?? notAsked(nodes);
      const attemptSignal = AbortSignal.any([
        AbortSignal.timeout(timeout),
        ...(signal === undefined ? [] : [signal]),
      ]);
      try {
        return await node.circuit.run(async () => {
          try {
            signal?.throwIfAborted();
            const { data } = await request(node.api, { signal: attemptSignal });
            if (data.result === undefined) throw new Error('the reply has no result');
            return data.result;
          } catch (thrown) {
            throw translateQdrantError(thrown, signal);
          }
        });
      } catch (thrown) {
        failure = toAppError(thrown);
        if (!failure.retryable || failure.code === 'stopped') throw failure;
        preferred = (preferred + 1) % nodes.length;
        if (attempt === attempts) throw failure;
        if (attempt >= nodes.length) await pause(attempt - nodes.length + 1, failure, signal);
      }
    }
  };
  return { send, circuits: new Map(nodes.map(({ host, circuit }) => [host, circuit])) };
}

function connect(url: string, apiKey: string | undefined): QdrantApi {
  const { origin, pathname } = new URL(url);
  return new QdrantClient({
    url: origin,
    prefix: pathname.replace(/\/$/, ''),
    headers: {
      // A compressed reply comes in small pieces, and the last of them waits some 40 ms for an acknowledgement that TCP delays.
      'accept-encoding': 'identity',
      // By header: given as `apiKey` over http, the client writes a warning to the console.
      ...(apiKey === undefined ? {} : { 'api-key': apiKey }),
    },
    // Asks the server's version at construction and writes to the console where it cannot.
    checkCompatibility: false,
    // The client's own timer would take the place of our signal.
    timeout: Number.POSITIVE_INFINITY,
  }).api();
}

/** Full jitter: clients that failed together do not come back together. */
async function pause(round: number, failure: AppError, signal: AbortSignal | undefined): Promise<void> {
  const milliseconds = Math.random() * FIRST_PAUSE_MS * 2 ** round;
  const told = (failure.retryAfterSeconds ?? 0) * 1000;
  await wait(Math.max(milliseconds, told), undefined, { signal }).catch(() => {
    throw new AppError('stopped', undefined, { cause: failure });
  });
}

function judgeFailure(thrown: unknown): 'down' | 'there' | 'unknown' {
  const { code, retryable } = toAppError(thrown);
  if (code === 'stopped') return 'unknown';
  return code === 'unavailable' && retryable ? 'down' : 'there';
}

function notAsked(nodes: readonly Node[]): AppError {
  const seconds = Math.ceil(Math.min(...nodes.map(({ circuit }) => circuit.waitMs)) / 1000);
  return new AppError(
    'unavailable',
    `The search engine did not answer several times; it is asked again in ${seconds} s.`,
    { retryAfterSeconds: seconds },
  );
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
