import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { abstain } from './answer/abstention.js';
import { createAnswerCache } from './answer/answer-cache.js';
import type { Answerer, AnswerRequest } from './answer/answerer.js';
import { createCachedAnswerer } from './answer/cached-answerer.js';
import type { ChatModel } from './answer/chat-model.js';
import { createExtractiveAnswerer } from './answer/extractive-answerer.js';
import { createFairQueue, type FairQueue } from './answer/fair-queue.js';
import { answerContext, createModelAnswerer } from './answer/model-answerer.js';
import { createOpenAIChatModel } from './answer/openai-chat-model.js';
import { loadPrompts, type Prompts } from './answer/prompts.js';
import { queueChatModel } from './answer/queued-chat-model.js';
import type { Config } from './config.js';
import { AppError } from './errors.js';
import type { FlushClock } from './flush-clock.js';
import { createGrounding } from './ground/citation-grounding.js';
import { createSentenceJudge } from './ground/sentence-judge.js';
import { findSuspicions } from './guard/find-suspicions.js';
import { createInferenceEngine, type InferenceEngine } from './inference/inference-engine.js';
import { listModels } from './inference/model-folders.js';
import { createDocumentReader } from './ingest/document-reader.js';
import { createIngestor, type Ingestor } from './ingest/ingestor.js';
import { createKnowledgeBaseRegistry, type KnowledgeBaseRegistry } from './ingest/knowledge-base-registry.js';
import { createKnowledgeFolder, type KnowledgeFolder } from './ingest/knowledge-folder.js';
import type { Steps } from './pipeline.js';
import { createFindCurated } from './question/curated-answer.js';
import { createIndexVocabulary } from './question/index-vocabulary.js';
import { createQuestionReader } from './question/question-reader.js';
import { createCandidateReranker } from './rerank/candidate-reranker.js';
import { createHttpReranker } from './rerank/http-reranker.js';
import { createOnnxReranker } from './rerank/onnx-reranker.js';
import type { Reranker } from './rerank/reranker.js';
import { type Analyzer, createAnalyzer } from './retrieve/analyzer.js';
import type { CircuitBreaker } from './retrieve/circuit-breaker.js';
import type { Embedder } from './retrieve/embedder.js';
import { createRetriever } from './retrieve/hybrid-retriever.js';
import { createIndexEmbedders, type OpenEmbedder } from './retrieve/index-embedders.js';
import { createOnnxEmbedder } from './retrieve/onnx-embedder.js';
import { createOpenAiEmbedder } from './retrieve/openai-embedder.js';
import type { IndexDescription, PassageIndex } from './retrieve/passage-index.js';
import { createQdrantPassageIndex } from './retrieve/qdrant-passage-index.js';
import { createSqlitePassageIndex } from './retrieve/sqlite-passage-index.js';
import type { TraceStore } from './store/trace-store.js';
import type { Logger } from './telemetry/logger.js';
import { redactTexts } from './telemetry/redact.js';
import { currentCaller } from './telemetry/request-context.js';
import { traceChatModel } from './telemetry/traced-chat-model.js';
import { traceRetrieval } from './telemetry/traced-retrieval.js';
import type { Tracer } from './telemetry/tracer.js';

/** Knowledge and the way to answers, without a server around it: what the command line needs, and `app.ts` serves. */
export interface Core {
  index: PassageIndex;
  /** Of the services that the index goes to, by name: none where it is embedded. */
  circuits: ReadonlyMap<string, CircuitBreaker>;
  engine: InferenceEngine;
  embedder: Embedder | null;
  reranker: Reranker | null;
  analyzer: Analyzer;
  chatModel: ChatModel | null;
  modelQueue: FairQueue;
  knowledgeBases: KnowledgeBaseRegistry;
  ingestor: Ingestor;
  knowledgeFolder: KnowledgeFolder;
  /**
   * Waits for the models and readies the index for them: true while documents wait to be made again. Throws what
   * `PassageIndex.prepare` throws, and `unavailable` where vectors would be given up for want of a model.
   */
  prepareIndex(): Promise<boolean>;
  /**
   * What is in the index; makes its knowledge bases known that have no folder, since uploads make some, also from
   * another process.
   */
  describeIndex(): Promise<IndexDescription>;
  /** Everything but the writing of traces, which needs a store. */
  steps: (store: Pick<TraceStore, 'writeTrace'>) => Steps;
  close(): Promise<void>;
}

export interface CoreOptions {
  logger: Logger;
  tracer?: Tracer;
  /** When text of a language model is read; as it comes where absent. */
  clock?: FlushClock;
}

/**
 * Chooses and wires the adapters. Throws PromptError where a prompt is wrong, AppError `unavailable` where
 * DATA_DIR or the embedded index in it cannot be opened; a missing model or an unreachable Qdrant is told by `/readyz` instead.
 */
export async function createCore(config: Config, options: CoreOptions): Promise<Core> {
  const { logger, tracer } = options;
  const prompts = await loadPrompts(config.promptsDir);
  await mkdir(config.dataDir, { recursive: true }).catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? cause.code : 'unknown error';
    throw new AppError('unavailable', `DATA_DIR cannot be written to: ${config.dataDir} (${code}).`, {
      cause,
    });
  });
  const { index, circuits } = await openIndex(config);
  const engine = await createInferenceEngine({
    modelsDir: config.modelsDir,
    models: localModels(config),
    logger,
  });
  const analyzer = createAnalyzer();
  const embedder = chooseEmbedder(config, engine);
  const reranker = chooseReranker(config, engine);
  const modelQueue = createFairQueue({
    atOnce: config.answers.modelRequestsAtOnce,
    longestWaitMs: LONGEST_MODEL_WAIT_MS,
  });
  const chatModel =
    config.chat === undefined
      ? null
      : queueChatModel(openChatModel(config.chat, options), { queue: modelQueue, client: nameCaller });
  const answerer: Answerer =
    chatModel === null
      ? createExtractiveAnswerer({ analyzer })
      : modelAnswerer({
          chatModel,
          visionModel: chooseVisionModel(config, options),
          prompts,
          embedder,
          analyzer,
        });

  const reader = createDocumentReader();
  const ingestor = createIngestor({
    index,
    embedder,
    reader,
    logger,
    analyze: (text, knowledgeBase) => analyzer.analyze(text, knowledgeBase),
  });
  const knowledgeBases = createKnowledgeBaseRegistry();
  const embedders = createIndexEmbedders({
    configured: embedder,
    open: (model) => openEmbedder(model, config, logger),
  });
  const retrieval = { index, embedderOf: embedders.of };
  const prepareIndex = async (): Promise<boolean> => {
    await engine.loaded();
    if (embedder === null) await refuseToForgetVectors(index, config.embed.model);
    const waiting = await index.prepare({
      embedder: embedder?.model ?? 'none',
      dimensions: embedder?.dimensions ?? 0,
      analyzer: analyzer.version,
    });
    if (!waiting) await embedders.release();
    return waiting;
  };
  const knowledgeFolder = createKnowledgeFolder({
    dir: config.knowledgeDir,
    index,
    ingestor,
    prepareIndex,
    registry: knowledgeBases,
  });

  return {
    index,
    circuits,
    engine,
    embedder,
    reranker,
    analyzer,
    chatModel,
    modelQueue,
    knowledgeBases,
    ingestor,
    knowledgeFolder,
    prepareIndex,
    describeIndex: async () => {
      const description = await index.describe();
      for (const { knowledgeBase } of description.knowledgeBases) knowledgeBases.ensure(knowledgeBase);
      return description;
    },
    steps: (store) => ({
      understand: createQuestionReader({
        chatModel,
        prompts,
        logger,
        analyzer,
        vocabularyOf: createIndexVocabulary(index),
      }),
      findCurated: createFindCurated({ embedder, analyzer }),
      retrieve: createRetriever({
        ...(tracer === undefined ? retrieval : traceRetrieval(retrieval, tracer)),
        analyzer,
        logger,
      }),
      rerank: createCandidateReranker({ reranker, analyzer, logger }),
      answerer,
      ground: createGrounding({ analyzer }),
      judge: chatModel === null ? null : createSentenceJudge({ chatModel, prompts }),
      abstain,
      costOf: ({ model, promptTokens, completionTokens }) => {
        const price = config.prices[model];
        if (price === undefined) return undefined;
        return (promptTokens * price.prompt + completionTokens * price.completion) / 1e6;
      },
      writeTrace: (trace) => store.writeTrace(redactTexts(trace)),
      inspect: findSuspicions,
      engines: () => ({
        embedder: embedder?.model ?? null,
        reranker: reranker?.model ?? null,
        device: engine.status().find(({ kind }) => kind === 'reranker')?.device ?? null,
      }),
    }),
    close: async () => {
      await Promise.all([index.close(), engine.close(), embedders.release(), reader.close()]);
    },
  };
}

/** A language model, behind the answers it gave before. */
function modelAnswerer(options: {
  chatModel: ChatModel;
  visionModel: ChatModel | null;
  prompts: Prompts;
  embedder: Embedder | null;
  analyzer: Analyzer;
}): Answerer {
  const contextOf = (request: AnswerRequest): string => answerContext(request, options);
  return createCachedAnswerer(createModelAnswerer(options), createAnswerCache({ ...options, contextOf }));
}

/** A question does not wait longer for the language model's turn; it is refused as soon as that shows. */
const LONGEST_MODEL_WAIT_MS = 30_000;

/** Who shares the language model with whom: holders of keys, else addresses of the network. */
function nameCaller(): string {
  const caller = currentCaller();
  return caller?.key ?? caller?.address ?? 'local';
}

/** Models that run in the inference process: those that no other server computes. */
function localModels({ embed, rerank }: Config): Parameters<typeof createInferenceEngine>[0]['models'] {
  return [
    ...(openAiModel(embed.model) === undefined
      ? [{ name: embed.model, kind: 'embedder' as const, device: embed.device }]
      : []),
    ...(rerank.url === undefined
      ? [{ name: rerank.model, kind: 'reranker' as const, device: rerank.device }]
      : []),
  ];
}

function chooseEmbedder(config: Config, engine: InferenceEngine): Embedder | null {
  const remote = openAiModel(config.embed.model);
  if (remote === undefined) return createOnnxEmbedder({ engine, model: config.embed.model });
  if (config.chat === undefined) return null;
  return createOpenAiEmbedder({ ...config.chat, model: remote });
}

function openChatModel(
  chat: Pick<NonNullable<Config['chat']>, 'apiKey' | 'baseUrl' | 'models'>,
  { tracer, ...options }: CoreOptions,
): ChatModel {
  if (tracer === undefined) return createOpenAIChatModel({ ...chat, ...options });
  const requestHeaders = tracer.headers;
  return traceChatModel(createOpenAIChatModel({ ...chat, ...options, requestHeaders }), tracer);
}

function chooseVisionModel({ chat }: Config, options: CoreOptions): ChatModel | null {
  if (chat === undefined || chat.visionModels.length === 0) return null;
  return openChatModel({ ...chat, models: chat.visionModels }, options);
}

function chooseReranker({ rerank }: Config, engine: InferenceEngine): Reranker | null {
  return rerank.url === undefined
    ? createOnnxReranker({ engine, model: rerank.model })
    : createHttpReranker({ url: rerank.url, model: rerank.model });
}

/** A model that the index was made with before: of the models folder, or else of the service that the chat model is of. */
async function openEmbedder(model: string, config: Config, logger: Logger): Promise<OpenEmbedder | null> {
  const { modelsDir, embed, chat } = config;
  if ((await listModels(modelsDir)).some(({ name }) => name === model)) {
    const models = [{ name: model, kind: 'embedder' as const, device: embed.device }];
    const engine = await createInferenceEngine({ modelsDir, models, logger });
    const embedder = createOnnxEmbedder({ engine, model });
    if (embedder !== null) return { embedder, close: engine.close };
    await engine.close();
  }
  if (chat === undefined) return null;
  return { embedder: createOpenAiEmbedder({ ...chat, model }), close: async () => undefined };
}

/** A model that is missing, by a slip in its name perhaps, is no wish to do without vectors. */
async function refuseToForgetVectors(index: PassageIndex, model: string): Promise<void> {
  const made = await index.searchedWith();
  if (made === null || made.dimensions === 0) return;
  throw new AppError(
    'unavailable',
    `The embedding model ${model} is not there; the index keeps what ${made.embedder} made. Set EMBED_MODEL or fetch the model.`,
    { retryable: false },
  );
}

/** Throws AppError `unavailable` where the embedded index cannot be opened. */
export async function openIndex({
  qdrant,
  dataDir,
}: Pick<Config, 'qdrant' | 'dataDir'>): Promise<Pick<Core, 'index' | 'circuits'>> {
  if (qdrant === undefined) {
    return {
      index: await createSqlitePassageIndex({ file: join(dataDir, 'index.db') }),
      circuits: new Map(),
    };
  }
  const index = createQdrantPassageIndex(qdrant);
  return { index, circuits: index.circuits };
}

/** `openai:text-embedding-3-small` names a model of the service that the chat model comes from. */
function openAiModel(name: string): string | undefined {
  return name.startsWith('openai:') ? name.slice('openai:'.length) : undefined;
}
