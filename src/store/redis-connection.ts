import { createClient } from 'redis';
import { AppError } from '../errors.js';
import type { Logger } from '../telemetry/logger.js';
import { redisScripts } from './redis-scripts.js';

export type RedisClient = ReturnType<typeof newClient>;

export interface RedisConnection {
  /**
   * Runs commands, and runs them again while the connection is broken, up to `patienceMs`: all of them must be
   * repeatable. Throws AppError `unavailable` after that; what Redis itself refuses is `unavailable` at once.
   */
  run<T>(commands: (client: RedisClient) => Promise<T>): Promise<T>;
  /** Another client with the same settings, not connected yet; whoever takes it closes it. It queues while it is offline. */
  newClient(): RedisClient;
  /** Called whenever the connection is there (again). */
  onReady(listener: () => void): void;
  /** Why it cannot be used, or null; and whether what it acknowledges survives its own end. */
  describe(): Promise<RedisDescription>;
  close(): Promise<void>;
}

export interface RedisDescription {
  ready: boolean;
  reason?: string;
  /** `always` or `everysec`: the append-only file and how often it is flushed; `none`: memory only, or snapshots. */
  durability?: string;
}

export interface RedisConnectionOptions {
  /** `redis://[[user]:password@]host[:port][/database]`, `rediss://` for TLS. */
  url: string;
  logger: Logger;
  /** How long a command waits for a broken connection before its caller is told. */
  patienceMs?: number;
}

const LONGEST_PAUSE_MS = 1000;
const CONNECT_MS = 2000;
const RETRY_AFTER_SECONDS = 2;

/** Begins to connect, and connects again whenever the connection breaks. */
export function connectRedis({ url, logger, patienceMs = 5000 }: RedisConnectionOptions): RedisConnection {
  const client = newClient(url, { disableOfflineQueue: true });
  const readyListeners: (() => void)[] = [];
  let waiting: (() => void)[] = [];
  let broken = false;

  client.on('error', (error: unknown) => {
    if (!broken) logger.warn('Redis cannot be reached; trying again.', { error });
    broken = true;
  });
  client.on('ready', () => {
    if (broken) logger.info('Redis is reached again.');
    broken = false;
    for (const wake of waiting.splice(0)) wake();
    for (const listener of readyListeners) listener();
  });
  client.connect().catch((error: unknown) => logger.debug('Redis was never reached.', { error }));

  const whenReady = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting = waiting.filter((other) => other !== wake);
        resolve();
      }, milliseconds);
      waiting.push(wake);
    });

  const run = async <T>(commands: (client: RedisClient) => Promise<T>): Promise<T> => {
    const giveUpAt = performance.now() + patienceMs;
    for (;;) {
      const left = giveUpAt - performance.now();
      try {
        if (client.isReady) return await within(left, commands(client));
        if (left <= 0 || !client.isOpen) throw new Error('Redis is not connected.');
        await whenReady(left);
      } catch (cause) {
        if (giveUpAt > performance.now() && !isRefusal(cause) && client.isOpen) continue;
        throw new AppError('unavailable', 'Redis cannot be reached.', {
          cause,
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        });
      }
    }
  };

  return {
    run,
    newClient: () => newClient(url, {}),
    onReady: (listener) => void readyListeners.push(listener),
    async describe() {
      if (!client.isReady) return { ready: false, reason: 'Redis cannot be reached.' };
      const information = await client.info('persistence');
      if (/^loading:1/m.test(information))
        return { ready: false, reason: 'Redis is still loading its data.' };
      const durability = /^aof_enabled:1/m.test(information) ? await readFlushing(client) : 'none';
      return { ready: true, durability };
    },
    async close() {
      if (client.isReady) await client.close();
      else client.destroy();
    },
  };
}

function newClient(url: string, options: { disableOfflineQueue?: boolean }) {
  return createClient({
    url,
    ...options,
    scripts: redisScripts,
    socket: {
      connectTimeout: CONNECT_MS,
      // A little apart, so that the servers do not all come back at the same moment.
      reconnectStrategy: (retries) =>
        Math.min(50 * 2 ** retries, LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2),
    },
  });
}

/** A server that keeps its settings to itself may well flush; it is not for us to say. */
async function readFlushing(client: RedisClient): Promise<string> {
  try {
    return (await client.configGet('appendfsync')).appendfsync ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

/** Redis answered, and will answer the same again; the two below pass by themselves after a restart. */
function isRefusal(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    thrown.constructor.name.endsWith('Error') &&
    /^[A-Z]{2,} /.test(thrown.message) &&
    !/^(?:LOADING|MASTERDOWN) /.test(thrown.message)
  );
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Redis did not answer in time.')), milliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
