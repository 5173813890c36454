import { randomBytes } from 'node:crypto';
import { childEntry } from '../child-entry.js';
import type { AnswerFrame } from '../frames.js';
import type { KeyStore } from '../identity/key-store.js';
import type { ConversationStore } from './conversation-store.js';
import type { Feedback, FeedbackStore } from './feedback-store.js';
import { batchFrames } from './frame-batches.js';
import type { HandoffStore } from './handoff-store.js';
import type { StoreMethods } from './sqlite-store-worker.js';
import type { Trace, TraceStore } from './trace-store.js';
import { startWorker } from './worker-rpc.js';

export interface SqliteStoreOptions {
  file: string;
  /** Traces kept; the oldest go first. */
  maxTraces?: number;
}

export type SqliteStore = ConversationStore & TraceStore & FeedbackStore & KeyStore & HandoffStore;

const FEEDBACK_PAGE = 200;

/** Conversations, traces, feedback, keys and who answers where in one SQLite file, in a thread of its own. Throws AppError `unavailable` where it cannot be opened. */
export async function createSqliteStore({
  file,
  maxTraces = 10_000,
}: SqliteStoreOptions): Promise<SqliteStore> {
  const entry = childEntry(import.meta.url, './sqlite-store-worker');
  const worker = await startWorker<StoreMethods>(entry, { file, maxTraces });
  const frameBatches = batchFrames((frames) => worker.call('appendFrames', [frames]));

  return {
    startMessage: (message) => worker.call('startMessage', [message]),
    appendFrames: (frames) => frameBatches.append(frames),
    readFrames: async (messageId, afterSeq) => {
      const frames = await worker.call('readFrames', [messageId, afterSeq]);
      return frames?.map((frame) => JSON.parse(frame) as AnswerFrame);
    },
    readMessage: (messageId) => worker.call('readMessage', [messageId]),
    readTurns: (conversationId, limit, { before } = {}) =>
      worker.call('readTurns', [conversationId, limit, before]),
    readConversation: (conversationId) => worker.call('readConversation', [conversationId]),
    ownerOfMessage: (messageId) => worker.call('ownerOfMessage', [messageId]),
    ownerOfConversation: (conversationId) => worker.call('ownerOfConversation', [conversationId]),
    listConversations: (listOptions) => worker.call('listConversations', [listOptions]),
    deleteConversation: (conversationId) => worker.call('deleteConversation', [conversationId]),
    deleteConversations: (which) => worker.call('deleteConversations', [which]),
    interruptRunning: async ({ except = () => false } = {}) => {
      const abandoned = (await worker.call('readRunning', [])).filter((messageId) => !except(messageId));
      return abandoned.length === 0 ? 0 : worker.call('interruptRunning', [abandoned]);
    },
    readHandling: (conversationId) => worker.call('readHandling', [conversationId]),
    changeHandling: (conversationId, from, to) => worker.call('changeHandling', [conversationId, from, to]),
    listHandled: ({ limit }) => worker.call('listHandled', [limit]),
    addOperatorMessage: (message) => worker.call('addOperatorMessage', [message]),
    readOperatorMessages: (conversationId) => worker.call('readOperatorMessages', [conversationId]),
    writeTrace: (trace) => worker.call('writeTrace', [trace]),
    readTrace: async (messageId) => parseMaybe<Trace>(await worker.call('readTrace', [messageId])),
    giveFeedback: (feedback) => worker.call('giveFeedback', [feedback]),
    readFeedback: async (messageId) => parseMaybe<Feedback>(await worker.call('readFeedback', [messageId])),
    async *readAllFeedback() {
      for (let after = 0; ; ) {
        const page = await worker.call('readFeedbackPage', [after, FEEDBACK_PAGE]);
        for (const { feedback } of page) yield JSON.parse(feedback) as Feedback;
        if (page.length < FEEDBACK_PAGE) return;
        after = page.at(-1)?.message ?? after;
      }
    },
    writeKey: (key) => worker.call('writeKey', [key]),
    readKey: (id) => worker.call('readKey', [id]),
    listKeys: () => worker.call('listKeys', []),
    revokeKey: (id, at) => worker.call('revokeKey', [id, at]),
    readSecret: (name) => worker.call('readSecret', [name, randomBytes(32).toString('base64url')]),
    close: async () => {
      await frameBatches.drained();
      await worker.close();
    },
  };
}

function parseMaybe<T>(json: string | undefined): T | undefined {
  return json === undefined ? undefined : (JSON.parse(json) as T);
}
