import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Config } from './config.js';
import { createCore } from './core.js';
import { createDoors, refuseOpenDoors } from './doors.js';
import { createFlushClock } from './flush-clock.js';
import { watchKnowledgeFolder } from './ingest/chokidar-knowledge-watch.js';
import type { FolderSyncSummary } from './ingest/knowledge-folder.js';
import type { SyncProgress } from './ingest/sync-knowledge-folder.js';
import { createUploadedDocuments } from './ingest/uploaded-documents.js';
import { openStore } from './open-store.js';
import { answerQuestion } from './pipeline.js';
import { createReadinessCheck } from './readiness.js';
import { keepRetention } from './store/retention.js';
import { createAccess } from './stream/access.js';
import { answerBrokenRequests } from './stream/answer-broken-requests.js';
import { createAnswerRunner } from './stream/answer-runner.js';
import { createEmbeddingsRoutes } from './stream/embeddings-routes.js';
import { createExplanationRoutes } from './stream/explanation-routes.js';
import { createExpressApp } from './stream/express-app.js';
import { createGiveFeedback } from './stream/feedback.js';
import { createOperatorDesk } from './stream/operator-desk.js';
import { createRequestLimiter } from './stream/rate-limiter-flexible-limiter.js';
import { createAnswerQuota } from './stream/rate-limiter-flexible-quota.js';
import { createRerankRoutes } from './stream/rerank-routes.js';
import { createSearch } from './stream/search.js';
import { createSocketIoServer } from './stream/socket-io-server.js';
import { createVisitorTokenRoutes } from './stream/visitor-token-routes.js';
import { watchCircuits } from './telemetry/circuit-gauges.js';
import { watchEngine } from './telemetry/engine-gauges.js';
import type { Logger } from './telemetry/logger.js';
import { observePipeline } from './telemetry/observed-pipeline.js';
import { observeSteps } from './telemetry/observed-steps.js';
import { createPromMetrics } from './telemetry/prom-metrics.js';
import { tracePipeline } from './telemetry/traced-pipeline.js';
import { traceSteps } from './telemetry/traced-steps.js';
import type { Tracer } from './telemetry/tracer.js';
import { type WhenAvailableOptions, whenAvailable } from './when-available.js';

export interface AppOptions {
  logger: Logger;
  version: string;
  /** Folder of the compiled page and client library: `page/` and `client/` below it. */
  browserDir: string;
  /** Called while the knowledge folder is read for the first time. */
  onProgress?: (progress: SyncProgress) => void;
}

export interface App {
  /** Resolves when questions can be asked; the knowledge folder is read meanwhile. */
  listen(): Promise<{ url: string }>;
  /** Settles when the knowledge folder has been read once. Rejects where it could not be. */
  knowledgeRead(): Promise<FolderSyncSummary>;
  /** Refuses new questions, lets running answers end within the time, then closes everything. */
  close(options?: { drainMs?: number }): Promise<void>;
}

/** Per socket. */
const EVENTS_PER_MINUTE = 600;

const LAST_BYTES_MS = 1000;
/** How often messages without an end are looked for. */
const SWEEP_MS = 5000;

/** The server: everything built and wired, nothing listening yet. */
export async function createApp(config: Config, options: AppOptions): Promise<App> {
  const { logger, version, browserDir, onProgress } = options;
  const { allowedOrigins } = config;
  const tracer = await openTracer(config, options);
  const traced = tracer === undefined ? {} : { tracer };
  const clock = createFlushClock();
  const core = await createCore(config, { logger, clock, ...traced });
  const { index, engine, knowledgeBases, knowledgeFolder, ingestor, reranker, embedder, chatModel } = core;
  const opened = await openStore(config, logger);
  const { store, shared } = opened;
  const desk = createOperatorDesk({
    handoffs: opened.handoffs,
    conversations: store,
    ...(shared.relay === undefined ? {} : { relay: shared.relay }),
  });
  await refuseOpenDoors(config, store);
  const { authenticator, issueVisitorToken } = createDoors(config, store);
  const access = createAccess(store);
  const metrics = createPromMetrics();
  watchEngine(engine, metrics);
  watchCircuits(core.circuits, metrics);

  const measured = observeSteps(core.steps(store), metrics);
  const steps = tracer === undefined ? measured : traceSteps(measured, tracer);
  const attended = desk.attend((ask, answerOptions) => answerQuestion(ask, steps, answerOptions));
  const pipeline = observePipeline(
    tracer === undefined ? attended : tracePipeline(attended, tracer),
    metrics,
  );
  const runner = createAnswerRunner({
    pipeline,
    conversations: store,
    knowledgeBases,
    logger,
    ...(shared.relay === undefined ? {} : { relay: shared.relay }),
    quota: createAnswerQuota(config.answers.shares),
    limits: { running: config.answers.atOnce, graceMs: config.answers.graceMs },
    clock,
  });
  metrics.watch({
    name: 'askbase_model_requests',
    help: 'Requests to the language model: running, and waiting for their turn.',
    labelNames: ['state'],
    read: () => [
      { labels: { state: 'running' }, value: core.modelQueue.running },
      { labels: { state: 'waiting' }, value: core.modelQueue.waiting },
    ],
  });
  metrics.watch({
    name: 'askbase_answers_running',
    help: 'Answers being written right now.',
    labelNames: [],
    read: () => [{ labels: {}, value: runner.running }],
  });
  const giveFeedback = createGiveFeedback(store, access);
  const readiness = createReadinessCheck({ config, core, conversations: opened.describe });

  const httpServer = createServer(
    createExpressApp({
      runner,
      access,
      authenticator,
      allowedOrigins,
      conversations: store,
      traces: store,
      giveFeedback,
      desk,
      knowledgeBases,
      index: { describe: core.describeIndex },
      models: () => ({
        mode: steps.answerer.mode,
        chat: chatModel?.models ?? [],
        embedder: embedder?.model ?? null,
        reranker: reranker?.model ?? null,
      }),
      search: createSearch({ steps, knowledgeBases }),
      documents: createUploadedDocuments({ index, ingestor, knowledgeBases, logger }),
      checkReadiness: readiness.check,
      metrics,
      ...traced,
      logger,
      requestLimiter: createRequestLimiter({ perMinute: config.requestsPerMinute }),
      version,
      staticFolders: { '/': join(browserDir, 'page'), '/client': join(browserDir, 'client') },
      routers: [
        createRerankRoutes({ reranker }),
        createEmbeddingsRoutes({ embedder }),
        createExplanationRoutes({ access, traces: store, reranker }),
        createVisitorTokenRoutes({ issueVisitorToken, allowedOrigins }),
      ],
    }),
  );
  answerBrokenRequests(httpServer);
  const sockets = createSocketIoServer({
    httpServer,
    runner,
    access,
    authenticator,
    allowedOrigins,
    giveFeedback,
    desk,
    logger,
    eventLimiter: createRequestLimiter({ perMinute: EVENTS_PER_MINUTE }),
    ...(shared.adapter === undefined ? {} : { adapter: shared.adapter }),
  });
  /** Messages that this process does not write although they are its own: those of an earlier one, and lost ends. */
  const sweep = (): Promise<void> =>
    store
      .interruptRunning({ except: runner.isRunning })
      .then((count) => {
        if (count > 0) logger.warn('Answers were interrupted.', { count });
      })
      .catch((error: unknown) => logger.warn('Interrupted answers could not be ended yet.', { error }));
  let sweeping: NodeJS.Timeout | undefined;

  const stopping = new AbortController();
  const readKnowledge = async (): Promise<FolderSyncSummary> => {
    if (await core.prepareIndex()) readiness.indexGoesOver();
    await core.describeIndex();
    const summary = await knowledgeFolder.sync({
      signal: stopping.signal,
      onProgress: (progress) => {
        readiness.knowledgeProgress(progress);
        onProgress?.(progress);
      },
    });
    logSync(summary, logger);
    readiness.knowledgeRead();
    return summary;
  };
  const waiting: WhenAvailableOptions = {
    signal: stopping.signal,
    onWait: (error) =>
      logger.warn('The index cannot be reached; the knowledge folder waits for it.', { error }),
  };
  let knowledge: Promise<FolderSyncSummary> | undefined;
  let watch: { close(): Promise<void> } | undefined;
  let stopRetention: (() => void) | undefined;

  return {
    async listen() {
      await sweep();
      sweeping = setInterval(() => void sweep(), SWEEP_MS).unref();
      stopRetention = keepRetention({ store, days: config.conversationDays, logger });
      await knowledgeFolder.load();
      await new Promise<void>((resolve, reject) => {
        httpServer.once('error', reject).listen(config.port, config.host, resolve);
      });
      knowledge = whenAvailable(readKnowledge, {
        ...waiting,
        onWait: (error) => {
          readiness.knowledgeFailed(error);
          waiting.onWait(error);
        },
      });
      knowledge.catch((error: unknown) => {
        if (stopping.signal.aborted) return;
        readiness.knowledgeFailed(error);
        logger.error('The knowledge folder could not be indexed.', { error });
      });
      watch = await watchKnowledgeFolder({
        dir: config.knowledgeDir,
        onChange: async (knowledgeBase) => {
          const sync = () => knowledgeFolder.sync({ knowledgeBase, signal: stopping.signal });
          logSync(await whenAvailable(sync, waiting), logger);
        },
        onError: (error) => logger.warn('A change in the knowledge folder could not be followed.', { error }),
      });
      const { port } = httpServer.address() as AddressInfo;
      return { url: `http://${config.host === '127.0.0.1' ? 'localhost' : config.host}:${port}` };
    },
    knowledgeRead: () => knowledge ?? Promise.reject(new Error('not listening')),
    async close({ drainMs = 30_000 } = {}) {
      stopping.abort();
      clearInterval(sweeping);
      stopRetention?.();
      await Promise.all([
        watch?.close(),
        runner.drain({ timeoutMs: drainMs }),
        knowledge?.catch(() => undefined),
      ]);
      await sockets.close();
      const closed = new Promise((resolve) => httpServer.close(resolve));
      httpServer.closeIdleConnections();
      // The last bytes of a reply are still on their way; a client that does not read them is cut off.
      const cut = setTimeout(() => httpServer.closeAllConnections(), LAST_BYTES_MS);
      await closed;
      clearTimeout(cut);
      await Promise.all([core.close(), opened.close(), tracer?.close()]);
    },
  };
}

/** Nothing of it is loaded unless there is a collector to tell. */
async function openTracer({ tracing }: Config, { logger, version }: AppOptions): Promise<Tracer | undefined> {
  if (tracing === undefined) return undefined;
  const { createOpenTelemetryTracer } = await import('./telemetry/opentelemetry-tracer.js');
  return createOpenTelemetryTracer({ ...tracing, logger, version });
}

function logSync(summary: FolderSyncSummary, logger: Logger): void {
  const { failed, ...counts } = summary;
  logger.info('The knowledge folder is indexed.', { ...counts, failed: failed.length });
  for (const { file, reason } of failed)
    logger.warn(file === '' ? reason : `${file} was left out: ${reason}`);
}
