import { AppError } from '../errors.js';
import type { Handled, Handling, OperatorMessage } from '../handling.js';
import type { HandoffStore } from './handoff-store.js';
import type { RedisConnection } from './redis-connection.js';

const key = {
  conversation: (id: string) => `askbase:conversation:${id}`,
  messages: (conversationId: string) => `askbase:messages:${conversationId}`,
  handling: (conversationId: string) => `askbase:handling:${conversationId}`,
  operatorMessages: (conversationId: string) => `askbase:operator-messages:${conversationId}`,
  handled: 'askbase:handled',
};

/** Messages that people may write in one conversation. */
const MAX_MESSAGES = 1_000;
/** Those that have somebody come after those that wait, however long. */
const BEHIND = 1e14;

/** Who answers where, in the Redis that servers share. They go with their conversation. */
export function createRedisHandoffs({ redis }: { redis: RedisConnection }): HandoffStore {
  const readHandling = async (conversationId: string): Promise<Handling | undefined> => {
    const json = await redis.run((client) => client.get(key.handling(conversationId)));
    return json === null ? undefined : (JSON.parse(json) as Handling);
  };

  return {
    readHandling,

    async changeHandling(conversationId, from, to) {
      const keys = [key.conversation(conversationId), key.handling(conversationId), key.handled];
      const score = Date.parse(to.since) + (to.state === 'operator' ? BEHIND : 0);
      const changed = await redis.run((client) =>
        client.changeHandling(keys, [
          conversationId,
          `,${from.join()},`,
          JSON.stringify(to),
          to.state,
          String(score),
        ]),
      );
      if (changed === 'missing') throw missing();
      return JSON.parse(changed) as Handling;
    },

    async listHandled({ limit }) {
      const ids = await redis.run((client) => client.zRange(key.handled, 0, limit - 1));
      const listed = await Promise.all(
        ids.map(async (conversationId): Promise<Handled[]> => {
          const [knowledgeBase, handling] = await Promise.all([
            redis.run((client) => client.hGet(key.conversation(conversationId), 'knowledgeBase')),
            readHandling(conversationId),
          ]);
          // One that was deleted between the two steps has no knowledge base.
          return knowledgeBase === null || handling === undefined
            ? []
            : [{ conversationId, knowledgeBase, handling }];
        }),
      );
      return listed.flat();
    },

    async addOperatorMessage(message) {
      const { conversationId, operatorMessageId } = message;
      const keys = [
        key.conversation(conversationId),
        key.messages(conversationId),
        key.operatorMessages(conversationId),
      ];
      const head = JSON.stringify(message).slice(0, -1);
      const added = await redis.run((client) =>
        client.addOperatorMessage(keys, [operatorMessageId, head, String(MAX_MESSAGES)]),
      );
      if (added === 'missing') throw missing();
      if (added === 'full') throw new AppError('conflict', 'This conversation is full.');
      return JSON.parse(added) as OperatorMessage;
    },

    async readOperatorMessages(conversationId) {
      const messages = await redis.run((client) =>
        client.lRange(key.operatorMessages(conversationId), 0, -1),
      );
      return messages.map((json) => JSON.parse(json) as OperatorMessage);
    },
  };
}

function missing(): AppError {
  return new AppError('not-found', 'There is no such conversation.');
}
