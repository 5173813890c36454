import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { AppError } from '../../src/errors.js';
import type { ConversationStore } from '../../src/store/conversation-store.js';
import type { FeedbackStore } from '../../src/store/feedback-store.js';
import type { HandoffStore } from '../../src/store/handoff-store.js';
import { createSqliteStore } from '../../src/store/sqlite-store.js';
import type { TraceStore } from '../../src/store/trace-store.js';
import { createAccess } from '../../src/stream/access.js';
import { answerBrokenRequests } from '../../src/stream/answer-broken-requests.js';
import { type AnswerRunner, createAnswerRunner } from '../../src/stream/answer-runner.js';
import type { DocumentService, UploadedFile } from '../../src/stream/document-service.js';
import { createExpressApp, type ExpressAppOptions } from '../../src/stream/express-app.js';
import { createGiveFeedback } from '../../src/stream/feedback.js';
import { createOperatorDesk } from '../../src/stream/operator-desk.js';
import { createRequestLimiter } from '../../src/stream/rate-limiter-flexible-limiter.js';
import type { Pipeline } from '../../src/stream/run-answer.js';
import { createPromMetrics } from '../../src/telemetry/prom-metrics.js';
import type { DocumentSummary, JudgedCandidate, Passage } from '../../src/types.js';
import { openDoor } from '../support/open-door.js';
import { createKnowledgeBases, createMemoryLogger, echo, PASSAGE_ID, shop } from './scripted-answers.js';

export const passage: Passage = {
  id: PASSAGE_ID,
  knowledgeBase: 'shop',
  documentId: 'en/returns.md',
  title: 'Returns',
  headings: ['How long'],
  text: 'You have 30 days.',
  kind: 'text',
  language: 'en',
  tags: [],
  position: 0,
  tokens: 5,
  updatedAt: '2026-01-01T00:00:00.000Z',
};

export const documentSummary: DocumentSummary = {
  knowledgeBase: 'shop',
  documentId: 'en/returns.md',
  title: 'Returns',
  language: 'en',
  tags: [],
  origin: 'folder',
  contentHash: 'ab'.repeat(32),
  passages: 1,
  updatedAt: '2026-01-01T00:00:00.000Z',
};

export const candidate: JudgedCandidate = {
  passage,
  scores: {
    lexical: { score: 7.1, rank: 1 },
    fused: { score: 0.016, rank: 1 },
    rerank: { logit: 2, sigmoid: 0.88, windows: 1, truncated: false, order: 2, rank: 1 },
  },
  decision: 'kept',
};

/** One document that is there; what is uploaded is kept for the test to see. */
function createDocuments(uploaded: UploadedFile[]): DocumentService {
  return {
    list: async () => [documentSummary],
    read: async (_knowledgeBase, documentId) =>
      documentId === documentSummary.documentId
        ? { document: documentSummary, passages: [passage] }
        : undefined,
    async ingest(_knowledgeBase, files) {
      uploaded.push(...files);
      return files.map(({ name, bytes }) =>
        bytes.length === 0
          ? {
              documentId: name,
              status: 'failed',
              passages: 0,
              error: { code: 'unreadable', message: 'The file is empty.', retryable: false },
            }
          : { documentId: name, status: 'added', passages: 1 },
      );
    },
    delete: async (_knowledgeBase, documentId) => documentId === documentSummary.documentId,
  };
}

type Store = ConversationStore & FeedbackStore & TraceStore & HandoffStore;

export interface HttpTestServer {
  url: string;
  runner: AnswerRunner;
  uploaded: UploadedFile[];
  store: Store;
  logger: ReturnType<typeof createMemoryLogger>;
  close(): Promise<void>;
}

let opened: { folder: string; store: Promise<Store> } | undefined;

/** One store for all servers of a test file. */
async function openStore(): Promise<Store> {
  if (opened === undefined) {
    const folder = await mkdtemp(join(tmpdir(), 'askbase-http-'));
    opened ??= { folder, store: createSqliteStore({ file: join(folder, 'store.db') }) };
  }
  return opened.store;
}

afterAll(async () => {
  if (opened === undefined) return;
  await (await opened.store).close();
  await rm(opened.folder, { recursive: true });
});

/** The real Express app on a port of its own, with a real store and a scripted pipeline behind it. */
export async function startHttpServer(
  pipeline: Pipeline = echo,
  options: Partial<ExpressAppOptions> = {},
): Promise<HttpTestServer> {
  const logger = createMemoryLogger();
  const uploaded: UploadedFile[] = [];
  const store = await openStore();
  const knowledgeBases = createKnowledgeBases(shop);
  const runner = createAnswerRunner({ pipeline, conversations: store, knowledgeBases, logger });
  const access = createAccess(store);
  const app = createExpressApp({
    runner,
    access,
    authenticator: openDoor,
    conversations: store,
    knowledgeBases,
    logger,
    traces: store,
    giveFeedback: createGiveFeedback(store, access),
    desk: createOperatorDesk({ handoffs: store, conversations: store }),
    index: {
      describe: async () => ({
        engine: 'sqlite',
        builtWith: null,
        passages: 7,
        knowledgeBases: [{ knowledgeBase: 'shop', documents: 2, passages: 7 }],
      }),
    },
    models: () => ({ mode: 'extractive', chat: [], embedder: 'tiny', reranker: null }),
    search: async ({ query }) => {
      if (query === 'broken') throw new Error('password=hunter2');
      if (query === 'down') throw new AppError('unavailable', undefined, { retryAfterSeconds: 3 });
      return { candidates: [candidate], threshold: 0.5, degraded: [] };
    },
    documents: createDocuments(uploaded),
    checkReadiness: async () => ({ index: { ready: true, passages: 7 } }),
    metrics: createPromMetrics(),
    requestLimiter: createRequestLimiter({ perMinute: 100_000 }),
    version: '1.2.3',
    staticFolders: {},
    ...options,
  });
  const server = createServer(app);
  answerBrokenRequests(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    runner,
    uploaded,
    store,
    logger,
    async close() {
      server.closeAllConnections();
      server.close();
      await runner.drain({ timeoutMs: 1 });
    },
  };
}
