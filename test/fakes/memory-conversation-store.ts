import { AppError, toPublicError } from '../../src/errors.js';
import { type AnswerFrame, isFinalFrame } from '../../src/frames.js';
import { LOCAL_OWNER } from '../../src/identity/identity.js';
import type {
  ConversationStore,
  ConversationSummary,
  StoredMessage,
} from '../../src/store/conversation-store.js';
import { type AskedMessage, toTurns } from '../../src/store/turns.js';

interface Entry {
  owner: string;
  message: StoredMessage;
  frames: AnswerFrame[];
}

/** Conversations in memory, with every promise of the port but durability: fast, and easy to break on purpose. */
export function createMemoryConversationStore(): ConversationStore {
  const entries = new Map<string, Entry>();
  const entriesOf = (conversationId: string): Entry[] =>
    [...entries.values()].filter(({ message }) => message.conversationId === conversationId);

  const append = (frame: AnswerFrame): void => {
    const entry = entries.get(frame.messageId);
    if (entry === undefined) throw new AppError('not-found');
    const { message, frames } = entry;
    if (frame.seq < frames.length || frames.some(isFinalFrame)) return;
    if (frame.seq > frames.length) throw new Error(`frame ${frame.seq} came before frame ${frames.length}`);
    frames.push(structuredClone(frame));
    if (frame.type === 'answer-completed') message.status = frame.status;
    if (frame.type === 'answer-failed') message.status = 'failed';
  };

  return {
    async startMessage({ owner = LOCAL_OWNER, ...message }) {
      const elsewhere = entriesOf(message.conversationId).some(
        (entry) => entry.message.knowledgeBase !== message.knowledgeBase || entry.owner !== owner,
      );
      if (elsewhere) throw new AppError('not-found', 'There is no such conversation.');
      if (entries.has(message.messageId)) throw new AppError('conflict');
      entries.set(message.messageId, { owner, message: { ...message, status: 'running' }, frames: [] });
    },
    async appendFrames(frames) {
      for (const frame of frames) append(frame);
    },
    async readFrames(messageId, afterSeq) {
      return entries.get(messageId)?.frames.slice(afterSeq + 1);
    },
    async readMessage(messageId) {
      return entries.get(messageId)?.message;
    },
    async readTurns(conversationId, limit, { before } = {}) {
      return toTurns(entriesOf(conversationId).map(toAskedMessage), { limit, before });
    },
    async readConversation(conversationId) {
      const found = entriesOf(conversationId);
      return found.length === 0 ? undefined : found.map(({ message }) => message);
    },
    async ownerOfMessage(messageId) {
      const entry = entries.get(messageId);
      return entry && { owner: entry.owner, knowledgeBase: entry.message.knowledgeBase };
    },
    async ownerOfConversation(conversationId) {
      const [entry] = entriesOf(conversationId);
      return entry && { owner: entry.owner, knowledgeBase: entry.message.knowledgeBase };
    },
    async listConversations({ limit, owner, knowledgeBases }) {
      const listed = [...entries.values()].filter(
        (entry) =>
          (owner === undefined || entry.owner === owner) &&
          (knowledgeBases === undefined || knowledgeBases.includes(entry.message.knowledgeBase)),
      );
      const ids = new Set(listed.map(({ message }) => message.conversationId));
      return [...ids]
        .map((id) => summarise(entriesOf(id).map(({ message }) => message)))
        .sort((a, b) => b.updatedAt.localeCompare(a.updatedAt))
        .slice(0, limit);
    },
    async deleteConversation(conversationId) {
      const found = entriesOf(conversationId);
      for (const { message } of found) entries.delete(message.messageId);
      return found.length > 0;
    },
    async deleteConversations(which) {
      const ids = new Set(
        [...entries.values()]
          .filter(({ owner, message }) =>
            'owner' in which
              ? owner === which.owner
              : summarise(entriesOf(message.conversationId).map((entry) => entry.message)).updatedAt <
                which.quietSince,
          )
          .map(({ message }) => message.conversationId),
      );
      for (const [id, { message }] of entries) if (ids.has(message.conversationId)) entries.delete(id);
      return ids.size;
    },
    async interruptRunning({ except = () => false } = {}) {
      const running = [...entries.values()].filter(
        ({ message }) => message.status === 'running' && !except(message.messageId),
      );
      const error = toPublicError(new AppError('interrupted'));
      for (const { message, frames } of running) {
        const { conversationId, messageId } = message;
        append({ conversationId, messageId, seq: frames.length, type: 'answer-failed', error });
      }
      return running.length;
    },
    async close() {},
  };
}

function toAskedMessage({ message, frames }: Entry): AskedMessage {
  const started = frames.find((frame) => frame.type === 'answer-started');
  const final = frames.at(-1);
  const { text: answer = null, reason = null } = final?.type === 'answer-completed' ? final : {};
  return { ...message, standalone: started?.question.standalone ?? null, answer, reason };
}

function summarise(messages: StoredMessage[]): ConversationSummary {
  const [first, last] = [messages[0] as StoredMessage, messages.at(-1) as StoredMessage];
  return {
    conversationId: first.conversationId,
    knowledgeBase: first.knowledgeBase,
    title: first.question,
    messages: messages.length,
    createdAt: first.askedAt,
    updatedAt: last.askedAt,
  };
}
