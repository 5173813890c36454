import type { AnswerFrame } from '../frames.js';
import type { Turn } from '../types.js';

export interface ConversationSummary {
  conversationId: string;
  knowledgeBase: string;
  /** First question, as the title in a list. */
  title: string;
  messages: number;
  createdAt: string;
  updatedAt: string;
}

export interface StoredMessage {
  messageId: string;
  conversationId: string;
  knowledgeBase: string;
  question: string;
  askedAt: string;
  /** The message this is another version of; always a first version. Both stay. */
  regenerates?: string;
  /** `running` until its last frame is stored. */
  status: 'running' | 'answered' | 'no-answer' | 'failed';
}

export type MessageToStart = Omit<StoredMessage, 'status'> & { owner?: string };

export type ConversationsToDelete = { owner: string } | { quietSince: string };

export interface ListOptions {
  limit: number;
  owner?: string;
  knowledgeBases?: readonly string[];
}

/** Whose a conversation is; its messages, traces and feedback are the same one's. */
export interface Belonging {
  owner: string;
  knowledgeBase: string;
}

/**
 * Conversations, their messages and the frames of every answer. What a method acknowledged survives kill -9.
 * Whoever creates it closes it.
 */
export interface ConversationStore {
  /**
   * Starts a message (and the conversation, where it is new). Throws `not-found` where the conversation belongs to
   * another knowledge base or another owner, `conflict` where the message id is taken. No owner: `LOCAL_OWNER`.
   */
  startMessage(message: MessageToStart): Promise<void>;
  /**
   * Adds frames in order of `seq`; the final frame ends the message. Frames that are already there are left as they
   * are, and after the final one nothing is added. Throws `not-found` where there is no such message (any more),
   * `interrupted` where another server took this one for dead and ended the message.
   */
  appendFrames(frames: readonly AnswerFrame[]): Promise<void>;
  /** Frames with `seq` greater than `afterSeq` (-1 gives all), in order. Undefined where there is no such message. */
  readFrames(messageId: string, afterSeq: number): Promise<AnswerFrame[] | undefined>;
  readMessage(messageId: string): Promise<StoredMessage | undefined>;
  /**
   * Turns of a conversation that were about its knowledge, oldest first, the last `limit` of them; of several versions the
   * last one that was answered. `before`: only those asked before this message, which is no version of another.
   */
  readTurns(
    conversationId: string,
    limit: number,
    options?: { before?: string | undefined },
  ): Promise<Turn[]>;
  /** Messages of a conversation in order; undefined where there is none of that id. */
  readConversation(conversationId: string): Promise<StoredMessage[] | undefined>;
  /** Undefined where there is no such message. */
  ownerOfMessage(messageId: string): Promise<Belonging | undefined>;
  /** Undefined where there is no such conversation. */
  ownerOfConversation(conversationId: string): Promise<Belonging | undefined>;
  /** Latest first; where given, only those of the owner and of these knowledge bases. */
  listConversations(options: ListOptions): Promise<ConversationSummary[]>;
  /** Deletes a conversation with all messages, frames, traces and feedback. False where there was none. */
  deleteConversation(conversationId: string): Promise<boolean>;
  /**
   * Deletes all conversations of an owner, or all without a message since a time (ISO 8601), as `deleteConversation` does.
   * Resolves to their number.
   */
  deleteConversations(which: ConversationsToDelete): Promise<number>;
  /**
   * Ends messages that nobody writes any more with an `answer-failed` frame of code `interrupted` at the next `seq`:
   * every one that is still `running`, but for those that `except` says this process writes, and those that another
   * server which shares the store and is alive writes. Called at start and now and then. Resolves to their number.
   */
  interruptRunning(options?: { except?: (messageId: string) => boolean }): Promise<number>;
  close(): Promise<void>;
}
