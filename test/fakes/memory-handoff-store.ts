import type { Handling, OperatorMessage } from '../../src/handling.js';
import type { HandoffStore } from '../../src/store/handoff-store.js';

/** Who answers where, in memory; every conversation counts as there. */
export function createMemoryHandoffStore(): HandoffStore {
  const handlings = new Map<string, Handling>();
  const messages: OperatorMessage[] = [];
  return {
    async readHandling(conversationId) {
      return handlings.get(conversationId);
    },
    async changeHandling(conversationId, from, to) {
      const current = handlings.get(conversationId);
      if (!from.includes(current?.state ?? 'assistant')) return current ?? to;
      handlings.set(conversationId, to);
      return to;
    },
    async listHandled({ limit }) {
      return [...handlings]
        .map(([conversationId, handling]) => ({ conversationId, knowledgeBase: 'shop', handling }))
        .filter(({ handling }) => handling.state !== 'assistant')
        .slice(0, limit);
    },
    async addOperatorMessage(message) {
      const kept = { ...message, afterMessageId: null };
      messages.push(kept);
      return kept;
    },
    async readOperatorMessages(conversationId) {
      return messages.filter((message) => message.conversationId === conversationId);
    },
  };
}
