import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { type AppError, toPublicError } from '../../src/errors.js';
import { knowledgeBaseConfigSchema } from '../../src/ingest/knowledge-base.js';
import type { Feedback } from '../../src/store/feedback-store.js';
import type { Trace } from '../../src/store/trace-store.js';
import { createAccess } from '../../src/stream/access.js';
import { createAnswerRoutes } from '../../src/stream/answer-routes.js';
import { createAnswerRunner } from '../../src/stream/answer-runner.js';
import { createConversationRoutes } from '../../src/stream/conversation-routes.js';
import { createGiveFeedback } from '../../src/stream/feedback.js';
import { createSecurityHeaders } from '../../src/stream/helmet-headers.js';
import { identify } from '../../src/stream/identify.js';
import { createKnowledgeBaseRoutes } from '../../src/stream/knowledge-base-routes.js';
import { createOperatorDesk } from '../../src/stream/operator-desk.js';
import { createOperatorRoutes } from '../../src/stream/operator-routes.js';
import type { Pipeline } from '../../src/stream/run-answer.js';
import { createSocketIoServer } from '../../src/stream/socket-io-server.js';
import { createMemoryConversationStore } from '../fakes/memory-conversation-store.js';
import { createMemoryHandoffStore } from '../fakes/memory-handoff-store.js';
import { createKnowledgeBases } from '../stream/scripted-answers.js';
import { openDoor } from '../support/open-door.js';
import { silentLogger } from '../support/silent-logger.js';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));

export const KNOWLEDGE_BASES = [
  {
    id: 'shop',
    ...knowledgeBaseConfigSchema.parse({
      title: { en: 'Shop support', zh: '商店客服' },
      description: { en: 'Returns and shipping.', zh: '退货与配送。' },
      starters: {
        en: ['How many days do I have to return something?', 'What does delivery cost?'],
        zh: ['多少天内可以退货？'],
      },
    }),
  },
  {
    id: 'health',
    ...knowledgeBaseConfigSchema.parse({
      title: { en: 'Health information', zh: '健康咨询' },
      disclaimer: { en: 'General information, not a diagnosis.', zh: '一般信息，不作诊断。' },
    }),
  },
];

export interface ScriptedServer {
  readonly url: string;
  readonly feedback: readonly Feedback[];
  /** Decides the frames of the answers from now on. */
  respond(pipeline: Pipeline): void;
  /** What the explanation of every answer says from now on. */
  explain(trace: Trace): void;
  /** Closes every connection as a server that shuts down does; running answers go on. */
  stopListening(): Promise<void>;
  /** Opens the door again, at the same address. */
  listenAgain(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The protocol as it is served, with the frames of each answer written by the test: for what a real answer seldom is.
 */
export async function startScriptedServer(mode: 'model' | 'extractive' = 'model'): Promise<ScriptedServer> {
  if (!existsSync(`${dist}page/main.js`))
    throw new Error('The page is not built: run `npm run build` first.');
  let pipeline: Pipeline = () => {
    throw new Error('no script');
  };
  let trace: Trace | undefined;
  const feedback: Feedback[] = [];
  const conversations = createMemoryConversationStore();
  const desk = createOperatorDesk({ handoffs: createMemoryHandoffStore(), conversations });
  const knowledgeBases = createKnowledgeBases(...KNOWLEDGE_BASES);
  const runner = createAnswerRunner({
    pipeline: desk.attend((ask, options) => pipeline(ask, options)),
    conversations,
    knowledgeBases,
    logger: silentLogger,
  });
  const access = createAccess(conversations);
  const giveFeedback = createGiveFeedback(
    {
      async giveFeedback(given) {
        feedback.push(given);
      },
    },
    access,
  );

  const app = express();
  app.use(createSecurityHeaders(), express.json(), identify(openDoor));
  app.get('/readyz', (_request, response) => void response.json({ ready: true, dependencies: {} }));
  app.use(createAnswerRoutes({ runner, access, conversations, heartbeatMs: 15_000, stallMs: 20_000 }));
  app.use(
    createConversationRoutes({
      runner,
      access,
      conversations,
      traces: { readTrace: async () => trace },
      giveFeedback,
      desk,
    }),
    createOperatorRoutes({ desk, access }),
  );
  app.use(
    createKnowledgeBaseRoutes({
      knowledgeBases,
      index: {
        describe: async () => ({
          knowledgeBases: KNOWLEDGE_BASES.map(({ id }) => ({
            knowledgeBase: id,
            documents: 3,
            passages: 41,
          })),
        }),
      } as never,
      models: () => ({
        mode,
        chat: mode === 'model' ? ['scripted'] : [],
        embedder: 'tiny',
        reranker: 'tiny',
      }),
    }),
  );
  app.use('/client', express.static(`${dist}client`));
  app.use(express.static(`${dist}page`));
  app.use(((thrown: AppError, _request, response, _next) => {
    response.status(thrown.status ?? 500).json({ error: toPublicError(thrown) });
  }) as express.ErrorRequestHandler);

  const open = async (port: number) => {
    const httpServer = createServer(app);
    const unlimited = { take: async () => undefined };
    const sockets = createSocketIoServer({
      httpServer,
      runner,
      access,
      authenticator: openDoor,
      giveFeedback,
      desk,
      logger: silentLogger,
      eventLimiter: unlimited,
    });
    httpServer.listen(port, '127.0.0.1');
    await once(httpServer, 'listening');
    return {
      port: (httpServer.address() as AddressInfo).port,
      async close(): Promise<void> {
        await sockets.close();
        httpServer.close();
        httpServer.closeAllConnections();
        await once(httpServer, 'close');
      },
    };
  };
  let listening = await open(0);

  return {
    url: `http://127.0.0.1:${listening.port}`,
    feedback,
    respond(next) {
      pipeline = next;
    },
    explain(next) {
      trace = next;
    },
    stopListening: () => listening.close(),
    async listenAgain() {
      listening = await open(listening.port);
    },
    async close() {
      await runner.drain({ timeoutMs: 0 });
      await listening.close();
    },
  };
}
