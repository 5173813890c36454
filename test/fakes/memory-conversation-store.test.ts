import { conversationStoreContract } from '../contracts/conversation-store.js';
import { createMemoryConversationStore } from './memory-conversation-store.js';

conversationStoreContract('memory', async () => {
  const store = createMemoryConversationStore();
  return { open: async () => store, remove: async () => undefined };
});
