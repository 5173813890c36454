/** The shapes that travel between client and server, for whoever builds on the client. Types only. */
export type { PublicError } from '../errors.js';
export type { AnswerFrame, Citation, Source } from '../frames.js';
export type { StoredMessage } from '../store/conversation-store.js';
export type { Trace } from '../store/trace-store.js';
export type { JudgedCandidate, RelevanceExplanation } from '../types.js';
