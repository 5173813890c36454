/** The shapes that travel between client and server, for whoever builds on the client. Types only. */
export type { PublicError } from '../errors.js';
export type { AnswerFrame, Citation, Source } from '../frames.js';
export type { ConversationHandling, Handled, Handling, OperatorMessage } from '../handling.js';
export type { ConversationSummary, StoredMessage } from '../store/conversation-store.js';
export type { Trace } from '../store/trace-store.js';
export type { VisitorMessage } from '../stream/operator-desk.js';
export type { JudgedCandidate, RelevanceExplanation } from '../types.js';
