import { AppError } from '../../src/errors.js';
import { type AnswerFrame, isFinalFrame } from '../../src/frames.js';
import type { ConversationStore, StoredMessage } from '../../src/store/conversation-store.js';

/** Conversations in memory, with the promises of the port except durability. */
export function createMemoryConversationStore(): ConversationStore {
  const messages = new Map<string, StoredMessage>();
  const frames = new Map<string, AnswerFrame[]>();
  const messagesOf = (conversationId: string): StoredMessage[] =>
    [...messages.values()].filter((message) => message.conversationId === conversationId);
  const finalText = (messageId: string): string | undefined => {
    const final = frames.get(messageId)?.at(-1);
    return final?.type === 'answer-completed' && final.status === 'answered' ? final.text : undefined;
  };
  const append = (frame: AnswerFrame): void => {
    const stored = frames.get(frame.messageId);
    const message = messages.get(frame.messageId);
    if (stored === undefined || message === undefined) throw new AppError('not-found');
    if (frame.seq < stored.length) return;
    if (frame.seq > stored.length) throw new Error(`frame ${frame.seq} came before ${stored.length}`);
    stored.push(frame);
    if (frame.type === 'answer-completed') message.status = frame.status;
    if (frame.type === 'answer-failed') message.status = 'failed';
  };

  return {
    async startMessage(message) {
      const other = messagesOf(message.conversationId).find(
        ({ knowledgeBase }) => knowledgeBase !== message.knowledgeBase,
      );
      if (other !== undefined) throw new AppError('not-found', 'There is no such conversation.');
      messages.set(message.messageId, { ...message, status: 'running' });
      frames.set(message.messageId, []);
    },
    async appendFrames(added) {
      for (const frame of added) append(structuredClone(frame));
    },
    async readFrames(messageId, afterSeq) {
      return frames.get(messageId)?.slice(afterSeq + 1);
    },
    async readMessage(messageId) {
      return messages.get(messageId);
    },
    async readTurns(conversationId, limit) {
      return messagesOf(conversationId)
        .flatMap(({ messageId, question }) => {
          const answer = finalText(messageId);
          return answer === undefined ? [] : [{ question, standalone: question, answer }];
        })
        .slice(-limit);
    },
    async readConversation(conversationId) {
      const found = messagesOf(conversationId);
      return found.length === 0 ? undefined : found;
    },
    async listConversations({ limit }) {
      const ids = [...new Set([...messages.values()].map(({ conversationId }) => conversationId))];
      return ids
        .map((conversationId) => {
          const own = messagesOf(conversationId);
          const first = own[0] as StoredMessage;
          return {
            conversationId,
            knowledgeBase: first.knowledgeBase,
            title: first.question,
            messages: own.length,
            createdAt: first.askedAt,
            updatedAt: own.at(-1)?.askedAt ?? first.askedAt,
          };
        })
        .reverse()
        .slice(0, limit);
    },
    async deleteConversation(conversationId) {
      const own = messagesOf(conversationId);
      for (const { messageId } of own) {
        messages.delete(messageId);
        frames.delete(messageId);
      }
      return own.length > 0;
    },
    async interruptRunning() {
      const running = [...messages.values()].filter(({ messageId }) => {
        const last = frames.get(messageId)?.at(-1);
        return last === undefined || !isFinalFrame(last);
      });
      for (const { conversationId, messageId } of running) {
        const { message, retryable, code } = new AppError('interrupted');
        const seq = frames.get(messageId)?.length ?? 0;
        append({
          conversationId,
          messageId,
          seq,
          type: 'answer-failed',
          error: { code, message, retryable },
        });
      }
      return running.length;
    },
    async close() {},
  };
}
