export interface Feedback {
  messageId: string;
  verdict: 'up' | 'down';
  /** Passages the verdict is about; empty for the answer as a whole. */
  passageIds: string[];
  comment?: string;
  at: string;
}

/** One verdict per message: a later one replaces it. */
export interface FeedbackStore {
  /** Throws `not-found` where there is no such message. Resolves when durable. */
  giveFeedback(feedback: Feedback): Promise<void>;
  readFeedback(messageId: string): Promise<Feedback | undefined>;
  /** Every verdict, in no particular order; one that is given meanwhile may be among them or not. */
  readAllFeedback(): AsyncIterable<Feedback>;
}
