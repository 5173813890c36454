import type { Handled, Handling, OperatorMessage } from '../handling.js';

/** Who answers in which conversation, and what people wrote there. What a method acknowledged survives kill -9. */
export interface HandoffStore {
  /** Undefined where nobody has ever changed it: the assistant answers. */
  readHandling(conversationId: string): Promise<Handling | undefined>;
  /**
   * Replaces it where `from` is one of the states it is in now, else leaves it; resolves to what it is then. Throws
   * `not-found` where there is no such conversation.
   */
  changeHandling(conversationId: string, from: readonly Handling['state'][], to: Handling): Promise<Handling>;
  /** Conversations that wait for a person or have one, those that wait the longest first. */
  listHandled(options: { limit: number }): Promise<Handled[]>;
  /** Throws `not-found` where there is no such conversation, `conflict` where a bound of 1,000 messages is reached. */
  addOperatorMessage(message: Omit<OperatorMessage, 'afterMessageId'>): Promise<OperatorMessage>;
  /** In the order in which they were written. */
  readOperatorMessages(conversationId: string): Promise<OperatorMessage[]>;
}
