import type { ChatModel } from './chat-model.js';
import type { FairQueue } from './fair-queue.js';

/** The same model, with its requests in a fair queue. `client` names on whose behalf the running request is. */
export function queueChatModel(
  chatModel: ChatModel,
  { queue, client }: { queue: Pick<FairQueue, 'enter'>; client: () => string },
): ChatModel {
  return {
    get models() {
      return chatModel.models;
    },
    async *stream(messages, { signal }) {
      const leave = await queue.enter(client(), { signal });
      try {
        yield* chatModel.stream(messages, { signal });
      } finally {
        leave();
      }
    },
  };
}
