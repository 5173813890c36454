import { z } from 'zod';
import {
  cacheHitSchema,
  candidateScoresSchema,
  citationSchema,
  frameSchema,
  NO_ANSWER_REASONS,
  publicErrorSchema,
  sourceSchema,
  timingsSchema,
  usageSchema,
} from '../frames.js';
import { handledSchema, handlingSchema, operatorMessageSchema } from '../handling.js';
import { ANSWERABILITY_SIGNALS } from '../rerank/answerability.js';

const language = z.enum(['en', 'zh']);
const localizedText = z.object({ en: z.string().optional(), zh: z.string().optional() });
const count = z.number().int().min(0);
const noAnswerReason = z.enum(NO_ANSWER_REASONS);

export const errorReplySchema = z.object({ error: publicErrorSchema });

/** OpenAI clients read `type` and `param`. */
export const openAiErrorReplySchema = z.object({
  error: publicErrorSchema.extend({
    type: z.enum(['invalid_request_error', 'rate_limit_error', 'server_error']),
    param: z.null(),
  }),
});

export const answerReplySchema = z.object({
  conversationId: z.string(),
  messageId: z.string(),
  status: z.enum(['answered', 'no-answer']),
  reason: noAnswerReason.optional(),
  text: z.string(),
  citations: z.array(citationSchema),
  sources: z.array(sourceSchema),
  usage: usageSchema.optional(),
  cache: cacheHitSchema.optional(),
  cutOff: z.literal(true).optional(),
  timings: timingsSchema,
  degraded: z.array(z.string()),
  frames: z.array(frameSchema),
});

export const framesReplySchema = z.object({
  conversationId: z.string(),
  messageId: z.string(),
  /** Whether the final frame is out. */
  ended: z.boolean(),
  frames: z.array(frameSchema),
});

export const stopReplySchema = z.object({ messageId: z.string(), stopped: z.boolean() });

export const passageSchema = z.object({
  id: z.string(),
  knowledgeBase: z.string(),
  documentId: z.string(),
  title: z.string(),
  headings: z.array(z.string()),
  text: z.string(),
  kind: z.enum(['text', 'faq']),
  language,
  url: z.string().optional(),
  tags: z.array(z.string()),
  position: count,
  tokens: count,
  updatedAt: z.string(),
});

const judgedCandidateSchema = z.object({
  passage: passageSchema,
  scores: candidateScoresSchema,
  decision: z.enum(['kept', 'below-threshold', 'duplicate', 'diversity', 'budget', 'limit']),
});

export const searchReplySchema = z.object({
  candidates: z.array(judgedCandidateSchema),
  threshold: z.number().nullable(),
  degraded: z.array(z.string()),
});

export const traceSchema = z.object({
  messageId: z.string(),
  conversationId: z.string(),
  knowledgeBase: z.string(),
  question: z.object({ text: z.string(), standalone: z.string(), language }),
  understanding: z.array(
    z.object({ step: z.string(), before: z.string(), after: z.string(), ms: z.number().min(0) }),
  ),
  mode: z.enum(['model', 'extractive']),
  candidates: z.array(judgedCandidateSchema),
  threshold: z.number().nullable(),
  answerability: z
    .object({
      probability: z.number().min(0).max(1),
      threshold: z.number().min(0).max(1),
      signals: z.record(z.enum(ANSWERABILITY_SIGNALS), z.number()),
    })
    .optional(),
  status: z.enum(['answered', 'no-answer', 'failed']),
  reason: noAnswerReason.optional(),
  timings: timingsSchema,
  degraded: z.array(z.string()),
  embedder: z.string().nullable(),
  reranker: z.string().nullable(),
  device: z.string().nullable(),
  usage: usageSchema.optional(),
  cost: z.number().optional(),
  prompt: z
    .array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() }))
    .optional(),
  cache: cacheHitSchema.optional(),
  /** Where question and passages give orders to a language model. */
  suspicions: z
    .array(
      z.object({
        where: z.enum(['question', 'passage']),
        passageId: z.string().optional(),
        signs: z.array(z.string()),
      }),
    )
    .optional(),
  /** Links and pictures that the model wrote and no passage names. */
  linksRemoved: count.optional(),
  judgements: z
    .array(
      z.object({
        sentence: z.string(),
        verdict: z.enum(['supported', 'weak', 'unsupported']),
        ms: z.number().min(0),
      }),
    )
    .optional(),
  withheldDoses: count.optional(),
  cutOff: z.literal(true).optional(),
  at: z.string(),
});

const documentSummarySchema = z.object({
  knowledgeBase: z.string(),
  documentId: z.string(),
  title: z.string(),
  language,
  url: z.string().optional(),
  tags: z.array(z.string()),
  origin: z.enum(['folder', 'upload']),
  contentHash: z.string(),
  passages: count,
  updatedAt: z.string(),
});

export const documentsReplySchema = z.object({ documents: z.array(documentSummarySchema) });
export const documentReplySchema = z.object({
  document: documentSummarySchema,
  passages: z.array(passageSchema),
});
export const uploadReplySchema = z.object({
  results: z.array(
    z.object({
      documentId: z.string(),
      status: z.enum(['added', 'changed', 'unchanged', 'failed']),
      passages: count,
      error: publicErrorSchema.optional(),
    }),
  ),
});

export const knowledgeBasesReplySchema = z.object({
  mode: z.enum(['model', 'extractive']),
  models: z.object({
    chat: z.array(z.string()),
    embedder: z.string().nullable(),
    reranker: z.string().nullable(),
  }),
  knowledgeBases: z.array(
    z.object({
      id: z.string(),
      title: localizedText,
      description: localizedText.optional(),
      languages: z.array(language),
      starters: z.object({ en: z.array(z.string()), zh: z.array(z.string()) }),
      disclaimer: localizedText.optional(),
      documents: count,
      passages: count,
    }),
  ),
});

export const conversationsReplySchema = z.object({
  conversations: z.array(
    z.object({
      conversationId: z.string(),
      knowledgeBase: z.string(),
      title: z.string(),
      messages: count,
      createdAt: z.string(),
      updatedAt: z.string(),
    }),
  ),
});

export const conversationReplySchema = z.object({
  conversationId: z.string(),
  messages: z.array(
    z.object({
      messageId: z.string(),
      conversationId: z.string(),
      knowledgeBase: z.string(),
      question: z.string(),
      askedAt: z.string(),
      /** The first version of this message, where it is another one. */
      regenerates: z.string().optional(),
      status: z.enum(['running', 'answered', 'no-answer', 'failed']),
    }),
  ),
  handling: handlingSchema,
  operatorMessages: z.array(operatorMessageSchema),
});

export const handlingReplySchema = z.object({ conversationId: z.string(), handling: handlingSchema });

export const handoffsReplySchema = z.object({ handoffs: z.array(handledSchema) });

export const healthReplySchema = z.object({
  status: z.literal('ok'),
  version: z.string(),
  uptimeSeconds: count,
});

export const readinessReplySchema = z.object({
  ready: z.boolean(),
  dependencies: z.record(z.string(), z.looseObject({ ready: z.boolean(), reason: z.string().optional() })),
});

export const chatCompletionReplySchema = z.object({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: count,
  model: z.string(),
  choices: z.array(
    z.object({
      index: count,
      message: z.object({ role: z.literal('assistant'), content: z.string(), refusal: z.null() }),
      logprobs: z.null(),
      finish_reason: z.enum(['stop', 'length']),
    }),
  ),
  usage: z.object({ prompt_tokens: count, completion_tokens: count, total_tokens: count }),
  askbase: z.object({
    conversationId: z.string(),
    messageId: z.string(),
    status: z.enum(['answered', 'no-answer']),
    reason: noAnswerReason.optional(),
    sources: z.array(sourceSchema),
    citations: z.array(citationSchema),
    degraded: z.array(z.string()),
  }),
});

export const modelSchema = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: count,
  owned_by: z.literal('askbase'),
});

export const modelsReplySchema = z.object({ object: z.literal('list'), data: z.array(modelSchema) });
