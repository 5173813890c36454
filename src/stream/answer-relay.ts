/** How servers that share their conversations reach the answers that another of them writes. */
export interface AnswerRelay {
  /**
   * Calls back whenever something was stored of a message, by any server; now and then for nothing. Until the
   * returned function is called, the message counts as followed here.
   */
  watch(messageId: string, onChange: () => void): () => void;
  /** Whether another server has had somebody who follows the message in the last while. */
  isFollowedElsewhere(messageId: string): Promise<boolean>;
  /** Asks whichever server writes the message to stop. */
  askToStop(messageId: string): Promise<void>;
  /** What another server asks for. */
  onStop(listener: (messageId: string) => void): void;
}
