import type { RedisConnection } from '../store/redis-connection.js';
import type { AnswerRelay } from './answer-relay.js';

const STOP_CHANNEL = 'askbase:stop';
/** Redis announces what it stored of a message on the channel named like its stream of frames. */
const framesChannel = (messageId: string): string => `askbase:frames:${messageId}`;
const followedKey = (messageId: string): string => `askbase:followed:${messageId}`;

const FOLLOWED_MS = 15_000;
const RENEW_MS = 5_000;

export interface RedisAnswerRelay extends AnswerRelay {
  close(): Promise<void>;
}

/** Passes word between servers by Redis's channels. Word may get lost when a connection breaks: frames are read again then. */
export function createRedisAnswerRelay({ redis }: { redis: RedisConnection }): RedisAnswerRelay {
  const subscriber = redis.newClient();
  const watched = new Map<string, { listeners: Set<() => void>; call: () => void }>();
  const callAll = (): void => {
    for (const { call } of watched.values()) call();
  };
  // The store's connection says when Redis is lost; this one follows the same ups and downs.
  subscriber.on('error', () => undefined);
  subscriber.on('ready', callAll);
  subscriber.connect().catch(() => undefined);

  const markFollowed = (messageId: string): void => {
    redis
      .run((client) => client.set(followedKey(messageId), '1', { PX: FOLLOWED_MS }))
      .catch(() => undefined);
  };
  const renewing = setInterval(() => {
    for (const messageId of watched.keys()) markFollowed(messageId);
  }, RENEW_MS);
  renewing.unref();

  return {
    watch(messageId, onChange) {
      const channel = framesChannel(messageId);
      const entry = watched.get(messageId) ?? newEntry();
      entry.listeners.add(onChange);
      if (!watched.has(messageId)) {
        watched.set(messageId, entry);
        // What was stored before the subscription held is looked for once more.
        subscriber.subscribe(channel, entry.call).then(entry.call, ignore);
        markFollowed(messageId);
      }
      return () => {
        entry.listeners.delete(onChange);
        if (entry.listeners.size > 0 || watched.get(messageId) !== entry) return;
        watched.delete(messageId);
        subscriber.unsubscribe(channel, entry.call).catch(ignore);
      };
    },
    isFollowedElsewhere: async (messageId) =>
      (await redis.run((client) => client.exists(followedKey(messageId)))) === 1,
    askToStop: async (messageId) => {
      await redis.run((client) => client.publish(STOP_CHANNEL, messageId));
    },
    onStop(listener) {
      subscriber.subscribe(STOP_CHANNEL, listener).catch(ignore);
    },
    async close() {
      clearInterval(renewing);
      if (subscriber.isReady) await subscriber.close();
      else subscriber.destroy();
    },
  };
}

function newEntry(): { listeners: Set<() => void>; call: () => void } {
  const listeners = new Set<() => void>();
  return {
    listeners,
    call() {
      for (const listener of listeners) listener();
    },
  };
}

function ignore(): void {}
