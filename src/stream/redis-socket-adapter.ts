import { createAdapter } from '@socket.io/redis-streams-adapter';
import type { RedisConnection } from '../store/redis-connection.js';

/** How long the adapter waits for news before it looks whether it is still wanted. */
const BLOCK_MS = 1000;

/** Lets what is sent to rooms and to all reach the sockets of every server that shares the Redis. */
export function createRedisSocketAdapter({ redis }: { redis: RedisConnection }): {
  adapter: ReturnType<typeof createAdapter>;
  close(): Promise<void>;
} {
  const client = redis.newClient();
  client.on('error', () => undefined);
  client.connect().catch(() => undefined);
  return {
    adapter: createAdapter(client, {
      streamName: 'askbase:sockets',
      channelPrefix: 'askbase:sockets',
      sessionKeyPrefix: 'askbase:socket-session:',
      blockTimeInMs: BLOCK_MS,
      onlyPlaintext: true,
    }),
    async close() {
      if (client.isReady) await client.close();
      else client.destroy();
    },
  };
}
