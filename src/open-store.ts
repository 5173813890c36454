import { join } from 'node:path';
import type { Config } from './config.js';
import type { KeyStore } from './identity/key-store.js';
import type { ConversationStore } from './store/conversation-store.js';
import type { FeedbackStore } from './store/feedback-store.js';
import type { HandoffStore } from './store/handoff-store.js';
import { connectRedis } from './store/redis-connection.js';
import { createRedisHandoffs } from './store/redis-handoffs.js';
import { createRedisStore } from './store/redis-store.js';
import { createSqliteStore } from './store/sqlite-store.js';
import type { TraceStore } from './store/trace-store.js';
import type { AnswerRelay } from './stream/answer-relay.js';
import type { Readiness } from './stream/operation-routes.js';
import { createRedisAnswerRelay } from './stream/redis-answer-relay.js';
import { createRedisSocketAdapter } from './stream/redis-socket-adapter.js';
import type { SocketIoServerOptions } from './stream/socket-io-server.js';
import type { Logger } from './telemetry/logger.js';

/** Where conversations are kept, and what servers that share them need of each other. */
export interface OpenedStore {
  store: ConversationStore & TraceStore & FeedbackStore & KeyStore;
  /** Who answers where. */
  handoffs: HandoffStore;
  /** What is there with Redis only. */
  shared: {
    relay?: AnswerRelay;
    adapter?: NonNullable<SocketIoServerOptions['adapter']>;
  };
  describe(): Promise<Readiness>;
  close(): Promise<void>;
}

/** Redis where REDIS_URL names one, reachable or not; else a file of DATA_DIR. Throws AppError `unavailable` where that cannot be opened. */
export async function openStore({ redis: given, dataDir }: Config, logger: Logger): Promise<OpenedStore> {
  if (given === undefined) {
    const store = await createSqliteStore({ file: join(dataDir, 'store.db') });
    return {
      store,
      handoffs: store,
      shared: {},
      describe: async () => ({ ready: true, engine: 'sqlite' }),
      close: () => store.close(),
    };
  }
  const redis = connectRedis({ url: given.url, logger });
  const store = createRedisStore({ redis });
  const relay = createRedisAnswerRelay({ redis });
  const sockets = createRedisSocketAdapter({ redis });
  redis.onReady(() => {
    void redis.describe().then(({ durability }) => {
      if (durability !== 'none') return;
      logger.warn('Redis has no append-only file: conversations are lost when it restarts.');
    });
  });
  return {
    store,
    handoffs: createRedisHandoffs({ redis }),
    shared: { relay, adapter: sockets.adapter },
    describe: async () => ({ engine: 'redis', ...(await redis.describe()) }),
    async close() {
      await store.close();
      await Promise.all([relay.close(), sockets.close()]);
      await redis.close();
    },
  };
}
