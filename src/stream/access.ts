import { AppError } from '../errors.js';
import { type Identity, seesConversation, seesKnowledgeBase } from '../identity/identity.js';
import type { KnowledgeBase } from '../ingest/knowledge-base.js';
import type { ConversationStore } from '../store/conversation-store.js';
import type { KnowledgeBases } from './knowledge-bases.js';

/** Guards what belongs to somebody: what one may not see is as if it were not there. */
export interface Access {
  /** Throws AppError `not-found` where there is no such message for this one. */
  toMessage(identity: Identity, messageId: string): Promise<void>;
  /** Throws AppError `not-found` where there is no such conversation for this one. */
  toConversation(identity: Identity, conversationId: string): Promise<void>;
}

export function createAccess(
  conversations: Pick<ConversationStore, 'ownerOfMessage' | 'ownerOfConversation'>,
): Access {
  return {
    async toMessage(identity, messageId) {
      const belonging = await conversations.ownerOfMessage(messageId);
      if (belonging === undefined || !seesConversation(identity, belonging)) {
        throw new AppError('not-found', 'There is no such message.');
      }
    },
    async toConversation(identity, conversationId) {
      const belonging = await conversations.ownerOfConversation(conversationId);
      if (belonging === undefined || !seesConversation(identity, belonging)) {
        throw new AppError('not-found', 'There is no such conversation.');
      }
    },
  };
}

/** Throws AppError `not-found` where there is no such knowledge base for this one. */
export function requireVisible(
  identity: Identity,
  knowledgeBases: Pick<KnowledgeBases, 'get'>,
  id: string,
): KnowledgeBase {
  const knowledgeBase = seesKnowledgeBase(identity, id) ? knowledgeBases.get(id) : undefined;
  if (knowledgeBase === undefined) throw new AppError('not-found', 'There is no such knowledge base.');
  return knowledgeBase;
}

export function listVisible(
  identity: Identity,
  knowledgeBases: Pick<KnowledgeBases, 'list'>,
): KnowledgeBase[] {
  return knowledgeBases.list().filter(({ id }) => seesKnowledgeBase(identity, id));
}
