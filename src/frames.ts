import { z } from 'zod';
import { ERROR_TABLE, type ErrorCode } from './errors.js';

const errorCodes = Object.keys(ERROR_TABLE) as [ErrorCode, ...ErrorCode[]];

export const publicErrorSchema = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  retryable: z.boolean(),
  retryAfterSeconds: z.number().optional(),
});

const branchScoreSchema = z.object({ score: z.number(), rank: z.number().int().min(1) });

export const candidateScoresSchema = z.object({
  lexical: branchScoreSchema.optional(),
  dense: branchScoreSchema.optional(),
  fused: branchScoreSchema,
  rerank: z
    .object({
      logit: z.number(),
      sigmoid: z.number().min(0).max(1),
      windows: z.number().int().min(1),
      truncated: z.boolean(),
      order: z.number(),
      rank: z.number().int().min(1),
    })
    .optional(),
});

/** A passage handed to the answer step, numbered from 1 as it is cited. */
export const sourceSchema = z.object({
  n: z.number().int().min(1),
  passageId: z.string(),
  documentId: z.string(),
  title: z.string(),
  headings: z.array(z.string()),
  url: z.string().optional(),
  text: z.string(),
  scores: candidateScoresSchema,
});

/** Half-open range of UTF-16 code units in the answer's text. */
const spanSchema = z.tuple([z.number().int().min(0), z.number().int().min(0)]);

export const citationSchema = z.object({
  n: z.number().int().min(1),
  passageId: z.string(),
  span: spanSchema,
  quote: z.string(),
});

/** What speaks against a sentence. */
export const doubtSchema = z.object({
  /**
   * `number`, `unit`, `name`: the passages have others; `negation`: they say the opposite; `other-source`: a passage
   * that is not cited says it better; `not-cited`: it states facts without a citation; `not-said`: they say something else.
   */
  reason: z.enum(['number', 'unit', 'name', 'negation', 'other-source', 'not-cited', 'not-said']),
  /** The words of the sentence it is about, where it is about some of them. */
  words: z.string().optional(),
});

export const NO_ANSWER_REASONS = [
  'no-hits',
  'below-threshold',
  'out-of-scope',
  'policy',
  'triage',
  'dependency-down',
  'clarification',
  'no-vision',
  'operator',
] as const;

/** Why there is no answer, and what could be asked instead. */
export const abstentionSchema = z.object({
  /** Sigmoid of the passage that came nearest; null where nothing was found or no reranker ran. */
  bestScore: z.number().min(0).max(1).nullable(),
  /** What the nearest passages are about, nearest first. */
  nearestTopics: z.array(
    z.object({
      title: z.string(),
      headings: z.array(z.string()),
      documentId: z.string(),
      passageId: z.string(),
      score: z.number().min(0).max(1).nullable(),
    }),
  ),
  /** Questions that can be asked instead. */
  suggestions: z.array(z.string()),
  /** What to write to reach a person; absent where that is not offered. */
  handoffPhrase: z.string().optional(),
});

/** Milliseconds per stage, measured by the server; a stage that did not run is absent. */
export const timingsSchema = z.record(z.string(), z.number().min(0));

/** An answer that was written for an earlier question, found by its words or by its meaning. */
export const cacheHitSchema = z.object({
  kind: z.enum(['exact', 'meaning']),
  /** Cosine of the two questions; 1 for the same words. */
  similarity: z.number().min(0).max(1.001),
  /** The message it was written for. */
  messageId: z.string(),
});

export const usageSchema = z.object({
  model: z.string(),
  promptTokens: z.number().int().min(0),
  completionTokens: z.number().int().min(0),
});

const bodies = {
  'answer-started': z.object({
    type: z.literal('answer-started'),
    question: z.object({
      text: z.string(),
      standalone: z.string(),
      language: z.enum(['en', 'zh']),
    }),
    knowledgeBase: z.string(),
    /** Who answers: a language model, quotes, or a person (then no text follows here). */
    mode: z.enum(['model', 'extractive', 'operator']),
    /** What is to be known before anything is relied on, where the knowledge base has something of the kind. */
    disclaimer: z.string().optional(),
  }),
  'sources-found': z.object({
    type: z.literal('sources-found'),
    sources: z.array(sourceSchema),
    /** The one source is a curated answer to this very question, which follows as it stands. */
    curated: z.boolean().optional(),
  }),
  'text-delta': z.object({ type: z.literal('text-delta'), text: z.string().min(1) }),
  'citation-added': citationSchema.extend({ type: z.literal('citation-added') }),
  'grounding-checked': z.object({
    type: z.literal('grounding-checked'),
    span: spanSchema,
    verdict: z.enum(['supported', 'weak', 'unsupported']),
    /** 0 to 1, how much of the sentence the cited passages support. */
    score: z.number().min(0).max(1),
    citations: z.array(z.number().int().min(1)),
    /** Why it is not `supported`, the gravest first; empty where it is. */
    reasons: z.array(doubtSchema),
    /** The sentence was kept back (`grounding: withhold` of the knowledge base); `span` is empty, where it was. */
    withheld: z.literal(true).optional(),
  }),
  'answer-completed': z.object({
    type: z.literal('answer-completed'),
    status: z.enum(['answered', 'no-answer']),
    reason: z.enum(NO_ANSWER_REASONS).optional(),
    /** Where the knowledge base was searched and does not say. */
    abstention: abstentionSchema.optional(),
    text: z.string(),
    citations: z.array(citationSchema),
    usage: usageSchema.optional(),
    cache: cacheHitSchema.optional(),
    /** The model had more to say: its service, or the bound on the length of an answer, ended it. */
    cutOff: z.literal(true).optional(),
    timings: timingsSchema,
    degraded: z.array(z.string()),
  }),
  'answer-failed': z.object({ type: z.literal('answer-failed'), error: publicErrorSchema }),
  'handoff-requested': z.object({
    type: z.literal('handoff-requested'),
    reason: z.string(),
  }),
} as const;

export const frameBodySchema = z.discriminatedUnion('type', [
  bodies['answer-started'],
  bodies['sources-found'],
  bodies['text-delta'],
  bodies['citation-added'],
  bodies['grounding-checked'],
  bodies['answer-completed'],
  bodies['answer-failed'],
  bodies['handoff-requested'],
]);

export const frameSchema = z
  .object({
    conversationId: z.string(),
    messageId: z.string(),
    /** Counts from 0 without gaps within a message. */
    seq: z.number().int().min(0),
  })
  .and(frameBodySchema);

export type Source = z.infer<typeof sourceSchema>;
export type Citation = z.infer<typeof citationSchema>;
export type Abstention = z.infer<typeof abstentionSchema>;
export type NoAnswerReason = (typeof NO_ANSWER_REASONS)[number];
export type Usage = z.infer<typeof usageSchema>;
export type CacheHit = z.infer<typeof cacheHitSchema>;
export type Timings = z.infer<typeof timingsSchema>;

/** What the pipeline yields: a frame before it is numbered and addressed. */
export type FrameBody = z.infer<typeof frameBodySchema>;

/** The public protocol: the same objects over socket.io, SSE and in JSON replies. */
export type AnswerFrame = z.infer<typeof frameSchema>;

/** Exactly one frame of these types ends a message. */
export function isFinalFrame(frame: { type: FrameBody['type'] }): boolean {
  return frame.type === 'answer-completed' || frame.type === 'answer-failed';
}
