import type { Usage } from '../frames.js';

/** Images only in user messages: data URLs (`data:image/png;base64,…`). */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
  images?: readonly string[];
}

export type ChatEvent =
  | { type: 'text'; text: string }
  | { type: 'usage'; usage: Usage }
  /** Behind the last text: the model had more to say, and its service or a bound of ours ended it. */
  | { type: 'cut-off' };

/** A language model that continues a conversation. */
export interface ChatModel {
  /** Names in order of preference, for traces and `/readyz`. */
  readonly models: readonly string[];
  /**
   * Text as it comes, then usage once (where the service reports it). Fails over to the next model only before
   * the first text. Throws AppError `model-failed`, `timeout`, `overloaded`, or `stopped` when the signal aborts,
   * in which case the upstream request is cancelled.
   */
  stream(messages: readonly ChatMessage[], options: { signal: AbortSignal }): AsyncIterable<ChatEvent>;
}
