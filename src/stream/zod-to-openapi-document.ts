import {
  OpenAPIRegistry,
  OpenApiGeneratorV31,
  type RouteConfig,
  zodToOpenAPIRegistry,
} from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { frameSchema, publicErrorSchema, sourceSchema } from '../frames.js';
import { operatorMessageSchema } from '../handling.js';
import { framesQuerySchema, messageParamsSchema } from './answer-routes.js';
import { askSchema } from './ask.js';
import { chatCompletionRequestSchema } from './chat-completion.js';
import {
  conversationParamsSchema,
  conversationsQuerySchema,
  deletionQuerySchema,
} from './conversation-routes.js';
import { embeddingsReplySchema, embeddingsRequestSchema } from './embeddings-routes.js';
import { explanationParamsSchema, explanationReplySchema } from './explanation-routes.js';
import { feedbackSchema } from './feedback.js';
import { operatorTextSchema, takeoverSchema } from './operator-events.js';
import * as replies from './reply-schemas.js';
import {
  rerankReplySchema,
  rerankRequestSchema,
  teiRerankReplySchema,
  teiRerankRequestSchema,
} from './rerank-routes.js';
import { searchRequestSchema } from './search-service.js';
import { visitorTokenReplySchema, visitorTokenRequestSchema } from './visitor-token-routes.js';

/** Shapes that recur, by the name they have in the document. */
const NAMED_SCHEMAS: Record<string, z.ZodType> = {
  AnswerFrame: frameSchema,
  PublicError: publicErrorSchema,
  Source: sourceSchema,
  Passage: replies.passageSchema,
  ErrorReply: replies.errorReplySchema,
  OpenAiErrorReply: replies.openAiErrorReplySchema,
};
for (const [refId, schema] of Object.entries(NAMED_SCHEMAS)) {
  zodToOpenAPIRegistry.add(schema, { _internal: { refId } });
}

interface Operation {
  summary: string;
  description?: string;
  request?: NonNullable<RouteConfig['request']>;
  /** Schema of a successful JSON reply, the media type of another one, or null where it has no body. */
  reply: z.ZodType | `${string}/${string}` | null;
  /** The reply may be had as server-sent events instead. */
  events?: string;
  errors: z.ZodType;
}

const STREAMED_FRAMES = 'One event per frame: `id` is its seq, `event` its type, `data` the frame.';

/** The HTTP protocol, from the schemas that the routes check with. */
export function createOpenApiDocument(version: string): object {
  const registry = new OpenAPIRegistry();
  const error = replies.errorReplySchema;
  const openAiError = replies.openAiErrorReplySchema;
  const add = (method: 'get' | 'post' | 'delete', path: string, operation: Operation): void =>
    registry.registerPath({ method, path, ...toRoute(operation) });

  add('post', '/v1/answers', {
    summary: 'Asks a question; the answer comes whole, or frame by frame',
    request: { body: json(askSchema) },
    reply: replies.answerReplySchema,
    events: STREAMED_FRAMES,
    errors: error,
  });
  add('get', '/v1/answers/{messageId}/frames', {
    summary: 'Frames of an answer: those stored so far, or, as events, those to come too',
    description:
      'As events, `Last-Event-ID` goes before `afterSeq`; 204 where the answer is over and nothing is left.',
    request: { params: messageParamsSchema, query: framesQuerySchema },
    reply: replies.framesReplySchema,
    events: STREAMED_FRAMES,
    errors: error,
  });
  add('delete', '/v1/answers/{messageId}', {
    summary: 'Stops an answer',
    request: { params: messageParamsSchema },
    reply: replies.stopReplySchema,
    errors: error,
  });
  add('post', '/v1/chat/completions', {
    summary: "OpenAI's chat completions with a knowledge base as the model",
    description:
      'The last user message is the question, earlier ones are the conversation. Sampling settings, tools and system ' +
      'messages are accepted and not used.',
    request: { body: json(chatCompletionRequestSchema) },
    reply: replies.chatCompletionReplySchema,
    events: 'Chunks as OpenAI sends them; the last one before usage carries `askbase`.',
    errors: openAiError,
  });
  add('get', '/v1/models', {
    summary: 'The knowledge bases as OpenAI models',
    reply: replies.modelsReplySchema,
    errors: openAiError,
  });
  add('get', '/v1/models/{model}', {
    summary: 'One knowledge base as an OpenAI model',
    request: { params: z.object({ model: z.string() }) },
    reply: replies.modelSchema,
    errors: openAiError,
  });
  addInference(add, error, openAiError);
  add('post', '/v1/search', {
    summary: 'Every candidate for a query with all its scores',
    request: { body: json(searchRequestSchema) },
    reply: replies.searchReplySchema,
    errors: error,
  });
  add('post', '/v1/feedback', {
    summary: 'Says whether an answer was good',
    request: { body: json(feedbackSchema) },
    reply: null,
    errors: error,
  });
  add('get', '/v1/knowledge-bases', {
    summary: 'The knowledge bases, and what answers are written with',
    reply: replies.knowledgeBasesReplySchema,
    errors: error,
  });
  addDocuments(add, error);
  add('get', '/v1/conversations', {
    summary: 'The latest conversations',
    request: { query: conversationsQuerySchema },
    reply: replies.conversationsReplySchema,
    errors: error,
  });
  add('delete', '/v1/conversations', {
    summary:
      "Deletes all conversations of an owner: one's own, or those of somebody who asks an operator for it",
    request: { query: deletionQuerySchema },
    reply: z.object({ deleted: z.number().int() }),
    errors: error,
  });
  add('get', '/v1/conversations/{conversationId}', {
    summary: 'The messages of a conversation',
    request: { params: conversationParamsSchema },
    reply: replies.conversationReplySchema,
    errors: error,
  });
  add('delete', '/v1/conversations/{conversationId}', {
    summary: 'Deletes a conversation with its answers, traces and feedback',
    request: { params: conversationParamsSchema },
    reply: null,
    errors: error,
  });
  addOperators(add, error);
  add('get', '/v1/messages/{messageId}/trace', {
    summary: 'How an answer came about',
    request: { params: messageParamsSchema },
    reply: replies.traceSchema,
    errors: error,
  });
  add('get', '/v1/messages/{messageId}/trace/passages/{passageId}/explanation', {
    summary: 'Which words of a passage drove its relevance',
    description: 'By occlusion: the passage is scored again without each stretch of it, 32 at most.',
    request: { params: explanationParamsSchema },
    reply: explanationReplySchema,
    errors: error,
  });
  add('post', '/v1/visitor-tokens', {
    summary: 'Makes a short-lived token that a page may ask with; needs an API key',
    request: { body: json(visitorTokenRequestSchema) },
    reply: visitorTokenReplySchema,
    errors: error,
  });
  addOperations(add, error);

  registry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
    description:
      'API key, visitor token, or token of your identity provider; none on a server that asks for none.',
  });
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: { title: 'Askbase', version, description: 'Cited answers from your own knowledge.' },
    security: [{ token: [] }],
  });
}

type Add = (method: 'get' | 'post' | 'delete', path: string, operation: Operation) => void;

function addOperators(add: Add, errors: z.ZodType): void {
  add('get', '/v1/handoffs', {
    summary: 'Conversations that wait for a person or have one, those that wait the longest first',
    reply: replies.handoffsReplySchema,
    errors,
  });
  const one = '/v1/conversations/{conversationId}';
  const params = conversationParamsSchema;
  add('post', `${one}/takeover`, {
    summary: 'Takes a conversation over: the assistant is silent there until it is released',
    request: { params, body: json(takeoverSchema) },
    reply: replies.handlingReplySchema,
    errors,
  });
  add('post', `${one}/release`, {
    summary: 'Gives a conversation back to the assistant',
    request: { params },
    reply: replies.handlingReplySchema,
    errors,
  });
  add('post', `${one}/messages`, {
    summary: 'Writes to the one who asks, in a conversation that was taken over',
    request: { params, body: json(operatorTextSchema) },
    reply: operatorMessageSchema,
    errors,
  });
}

function addInference(add: Add, errors: z.ZodType, openAiErrors: z.ZodType): void {
  for (const path of ['/v1/rerank', '/v2/rerank', '/rerank']) {
    add('post', path, {
      summary: 'The reranker as a service, as clients of Cohere, Jina or Text Embeddings Inference call one',
      request: { body: json(z.union([rerankRequestSchema, teiRerankRequestSchema])) },
      reply: z.union([rerankReplySchema, teiRerankReplySchema]),
      errors,
    });
  }
  add('post', '/v1/embeddings', {
    summary: "OpenAI's embeddings",
    request: { body: json(embeddingsRequestSchema) },
    reply: embeddingsReplySchema,
    errors: openAiErrors,
  });
}

function addDocuments(add: Add, errors: z.ZodType): void {
  const documents = '/v1/knowledge-bases/{knowledgeBase}/documents';
  const params = z.object({ knowledgeBase: z.string() });
  add('get', documents, {
    summary: 'The documents of a knowledge base',
    request: { params },
    reply: replies.documentsReplySchema,
    errors,
  });
  add('post', documents, {
    summary: 'Uploads documents; a file that cannot be read fails alone',
    request: {
      params,
      body: { required: true, content: { 'multipart/form-data': { schema: uploadSchema } } },
    },
    reply: replies.uploadReplySchema,
    errors,
  });
  const one = `${documents}/{documentId}`;
  const oneParams = params.extend({
    documentId: z.string().describe('A path; its slashes may stand as they are.'),
  });
  add('get', one, {
    summary: 'A document with its passages',
    request: { params: oneParams },
    reply: replies.documentReplySchema,
    errors,
  });
  add('delete', one, { summary: 'Deletes a document', request: { params: oneParams }, reply: null, errors });
}

const uploadSchema = {
  type: 'object' as const,
  additionalProperties: { type: 'array' as const, items: { type: 'string' as const, format: 'binary' } },
};

function addOperations(add: Add, errors: z.ZodType): void {
  add('get', '/healthz', { summary: 'Whether the process lives', reply: replies.healthReplySchema, errors });
  add('get', '/readyz', {
    summary: 'Whether each dependency is ready, and why not; 503 where one is not',
    reply: replies.readinessReplySchema,
    errors,
  });
  add('get', '/metrics', { summary: 'Metrics for Prometheus', reply: 'text/plain', errors });
  add('get', '/openapi.json', { summary: 'This document', reply: 'application/json', errors });
  add('get', '/asyncapi.json', { summary: 'The socket.io protocol', reply: 'application/json', errors });
}

function json(schema: z.ZodType): { required: true; content: { 'application/json': { schema: z.ZodType } } } {
  return { required: true, content: { 'application/json': { schema } } };
}

function toRoute({ reply, events, errors, ...operation }: Operation): Omit<RouteConfig, 'method' | 'path'> {
  const jsonContent = reply instanceof z.ZodType ? { 'application/json': { schema: reply } } : {};
  const otherContent = typeof reply === 'string' ? { [reply]: { schema: {} } } : {};
  const eventContent =
    events === undefined
      ? {}
      : { 'text/event-stream': { schema: { type: 'string' as const, description: events } } };
  const content = { ...jsonContent, ...otherContent, ...eventContent };
  return {
    ...operation,
    responses: {
      ...(reply === null ? { 204: { description: 'Done' } } : { 200: { description: 'Success', content } }),
      default: { description: 'Any failure', content: { 'application/json': { schema: errors } } },
    },
  };
}
