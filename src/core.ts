import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { abstain } from './answer/abstention.js';
import { createAnswerCache } from './answer/answer-cache.js';
import type { Answerer, AnswerRequest } from './answer/answerer.js';
import { createCachedAnswerer } from './answer/cached-answerer.js';
import type { ChatModel } from './answer/chat-model.js';
import { createExtractiveAnswerer } from './answer/extractive-answerer.js';
import { answerContext, createModelAnswerer } from './answer/model-answerer.js';
import { createOpenAIChatModel } from './answer/openai-chat-model.js';
import { loadPrompts, type Prompts } from './answer/prompts.js';
import type { Config } from './config.js';
import { AppError } from './errors.js';
import { createGrounding } from './ground/citation-grounding.js';
import { createInferenceEngine, type InferenceEngine } from './inference/inference-engine.js';
import { createDocumentReader } from './ingest/document-reader.js';
import { createIngestor, type Ingestor } from './ingest/ingestor.js';
import { createKnowledgeBaseRegistry, type KnowledgeBaseRegistry } from './ingest/knowledge-base-registry.js';
import { createKnowledgeFolder, type KnowledgeFolder } from './ingest/knowledge-folder.js';
import type { Steps } from './pipeline.js';
import { createQuestionReader } from './question/question-reader.js';
import { createCandidateReranker } from './rerank/candidate-reranker.js';
import { createHttpReranker } from './rerank/http-reranker.js';
import { createOnnxReranker } from './rerank/onnx-reranker.js';
import type { Reranker } from './rerank/reranker.js';
import { type Analyzer, createAnalyzer } from './retrieve/analyzer.js';
import type { Embedder } from './retrieve/embedder.js';
import { createRetriever } from './retrieve/hybrid-retriever.js';
import { createOnnxEmbedder } from './retrieve/onnx-embedder.js';
import { createOpenAiEmbedder } from './retrieve/openai-embedder.js';
import type { IndexDescription, PassageIndex } from './retrieve/passage-index.js';
import { createQdrantPassageIndex } from './retrieve/qdrant-passage-index.js';
import { createSqlitePassageIndex } from './retrieve/sqlite-passage-index.js';
import type { TraceStore } from './store/trace-store.js';
import type { Logger } from './telemetry/logger.js';

/** Knowledge and the way to answers, without a server around it: what the command line needs, and `app.ts` serves. */
export interface Core {
  index: PassageIndex;
  engine: InferenceEngine;
  embedder: Embedder | null;
  reranker: Reranker | null;
  analyzer: Analyzer;
  chatModel: ChatModel | null;
  knowledgeBases: KnowledgeBaseRegistry;
  ingestor: Ingestor;
  knowledgeFolder: KnowledgeFolder;
  /** Waits for the models and readies the index for them. Throws what `PassageIndex.prepare` throws. */
  prepareIndex(): Promise<void>;
  /**
   * What is in the index; makes its knowledge bases known that have no folder, since uploads make some, also from
   * another process.
   */
  describeIndex(): Promise<IndexDescription>;
  /** Everything but the writing of traces, which needs a store. */
  steps: (store: Pick<TraceStore, 'writeTrace'>) => Steps;
  close(): Promise<void>;
}

/**
 * Chooses and wires the adapters. Throws PromptError where a prompt is wrong, AppError `unavailable` where
 * DATA_DIR or the embedded index in it cannot be opened; a missing model or an unreachable Qdrant is told by `/readyz` instead.
 */
export async function createCore(config: Config, { logger }: { logger: Logger }): Promise<Core> {
  const prompts = await loadPrompts(config.promptsDir);
  await mkdir(config.dataDir, { recursive: true }).catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? cause.code : 'unknown error';
    throw new AppError('unavailable', `DATA_DIR cannot be written to: ${config.dataDir} (${code}).`, {
      cause,
    });
  });
  const index = await openIndex(config);
  const engine = await createInferenceEngine({
    modelsDir: config.modelsDir,
    models: localModels(config),
    logger,
  });
  const analyzer = createAnalyzer();
  const embedder = chooseEmbedder(config, engine);
  const reranker = chooseReranker(config, engine);
  const chatModel = config.chat === undefined ? null : createOpenAIChatModel({ ...config.chat, logger });
  const answerer: Answerer =
    chatModel === null
      ? createExtractiveAnswerer({ analyzer })
      : modelAnswerer({ chatModel, prompts, embedder, analyzer });

  const reader = createDocumentReader();
  const ingestor = createIngestor({
    index,
    embedder,
    reader,
    logger,
    analyze: (text, knowledgeBase) => analyzer.analyze(text, knowledgeBase),
  });
  const knowledgeBases = createKnowledgeBaseRegistry();
  const knowledgeFolder = createKnowledgeFolder({
    dir: config.knowledgeDir,
    index,
    ingestor,
    registry: knowledgeBases,
  });

  return {
    index,
    engine,
    embedder,
    reranker,
    analyzer,
    chatModel,
    knowledgeBases,
    ingestor,
    knowledgeFolder,
    prepareIndex: async () => {
      await engine.loaded();
      await index.prepare({
        embedder: embedder?.model ?? 'none',
        dimensions: embedder?.dimensions ?? 0,
        analyzer: analyzer.version,
      });
    },
    describeIndex: async () => {
      const description = await index.describe();
      for (const { knowledgeBase } of description.knowledgeBases) knowledgeBases.ensure(knowledgeBase);
      return description;
    },
    steps: (store) => ({
      understand: createQuestionReader({ chatModel, prompts, logger }),
      retrieve: createRetriever({ index, embedder, analyzer, logger }),
      rerank: createCandidateReranker({ reranker, logger }),
      answerer,
      ground: createGrounding({ analyzer }),
      abstain,
      costOf: ({ model, promptTokens, completionTokens }) => {
        const price = config.prices[model];
        if (price === undefined) return undefined;
        return (promptTokens * price.prompt + completionTokens * price.completion) / 1e6;
      },
      writeTrace: (trace) => store.writeTrace(trace),
      engines: () => ({
        embedder: embedder?.model ?? null,
        reranker: reranker?.model ?? null,
        device: engine.status().find(({ kind }) => kind === 'reranker')?.device ?? null,
      }),
    }),
    close: async () => {
      await Promise.all([index.close(), engine.close(), reader.close()]);
    },
  };
}

/** A language model, behind the answers it gave before. */
function modelAnswerer(options: {
  chatModel: ChatModel;
  prompts: Prompts;
  embedder: Embedder | null;
  analyzer: Analyzer;
}): Answerer {
  const contextOf = (request: AnswerRequest): string => answerContext(request, options);
  return createCachedAnswerer(createModelAnswerer(options), createAnswerCache({ ...options, contextOf }));
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

function chooseReranker({ rerank }: Config, engine: InferenceEngine): Reranker | null {
  return rerank.url === undefined
    ? createOnnxReranker({ engine, model: rerank.model })
    : createHttpReranker({ url: rerank.url, model: rerank.model });
}

/** Throws AppError `unavailable` where the embedded index cannot be opened. */
export async function openIndex({
  qdrant,
  dataDir,
}: Pick<Config, 'qdrant' | 'dataDir'>): Promise<PassageIndex> {
  return qdrant === undefined
    ? createSqlitePassageIndex({ file: join(dataDir, 'index.db') })
    : createQdrantPassageIndex(qdrant);
}

/** `openai:text-embedding-3-small` names a model of the service that the chat model comes from. */
function openAiModel(name: string): string | undefined {
  return name.startsWith('openai:') ? name.slice('openai:'.length) : undefined;
}
