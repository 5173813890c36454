import type { Router } from 'express';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { createAnswerRoutes } from '../../src/stream/answer-routes.js';
import { createAsyncApiDocument } from '../../src/stream/asyncapi-document.js';
import { createChatCompletionRoutes } from '../../src/stream/chat-completion-routes.js';
import { createConversationRoutes } from '../../src/stream/conversation-routes.js';
import { createDocumentRoutes } from '../../src/stream/document-routes.js';
import { createEmbeddingsRoutes } from '../../src/stream/embeddings-routes.js';
import { createExplanationRoutes } from '../../src/stream/explanation-routes.js';
import { createKnowledgeBaseRoutes } from '../../src/stream/knowledge-base-routes.js';
import { createOperationRoutes } from '../../src/stream/operation-routes.js';
import { createOperatorRoutes } from '../../src/stream/operator-routes.js';
import { createRerankRoutes } from '../../src/stream/rerank-routes.js';
import { createSearchRoutes } from '../../src/stream/search-routes.js';
import { createVisitorTokenRoutes } from '../../src/stream/visitor-token-routes.js';
import { createOpenApiDocument } from '../../src/stream/zod-to-openapi-document.js';

const PROTOCOL = new URL('../../docs/protocol/', import.meta.url);

interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
}

/** What routers offer, in the notation of OpenAPI. */
function offered(): string[] {
  const never = new Proxy({}, { get: () => () => undefined }) as never;
  const options = new Proxy(
    {},
    { get: (_, name) => (name === 'now' ? () => new Date() : name === 'identify' ? () => undefined : never) },
  ) as never;
  const routers: Router[] = [
    createAnswerRoutes(options),
    createChatCompletionRoutes(options),
    createConversationRoutes(options),
    createOperatorRoutes(options),
    createDocumentRoutes(options),
    createKnowledgeBaseRoutes(options),
    createOperationRoutes(options),
    createSearchRoutes(options),
    createRerankRoutes(options),
    createEmbeddingsRoutes(options),
    createExplanationRoutes(options),
    createVisitorTokenRoutes(options),
  ];
  const methodsAndPaths = routers
    .flatMap(({ stack }) => stack)
    .flatMap(({ route }) => {
      const methods = (route?.stack ?? []).flatMap(({ method }) => (method === undefined ? [] : [method]));
      const paths = [route?.path ?? []].flat().map((path) => path.replace(/[:*](\w+)/g, '{$1}'));
      return paths.flatMap((path) => methods.map((method) => `${method} ${path}`));
    });
  // A route with something before its handler has two entries.
  return [...new Set(methodsAndPaths)].sort();
}

describe('The OpenAPI document', () => {
  const document = createOpenApiDocument('unreleased') as OpenApi;
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );

  it('describes exactly the routes there are', () => {
    const served = ['get /asyncapi.json', 'get /openapi.json'];
    expect(documented.sort()).toEqual([...offered(), ...served].sort());
    expect(offered().length).toBeGreaterThan(15);
  });

  it('says for every route what failure looks like', () => {
    for (const path of Object.values(document.paths)) {
      for (const { responses } of Object.values(path)) expect(responses).toHaveProperty('default');
    }
  });

  it('is the one in docs/protocol (update: npx vitest run test/stream/protocol -u)', async () => {
    const file = new URL('openapi.yaml', PROTOCOL).pathname;
    await expect(stringify(document, { aliasDuplicateObjects: false })).toMatchFileSnapshot(file);
  });
});

describe('The AsyncAPI document', () => {
  const document = createAsyncApiDocument('unreleased') as {
    channels: { root: { messages: Record<string, { payload: object }> } };
    operations: Record<string, { action: string; messages: { $ref: string }[] }>;
  };

  it('describes the events of both sides with their acks', () => {
    const { messages } = document.channels.root;
    expect(Object.keys(messages)).toEqual(
      expect.arrayContaining([
        'question-ask',
        'question-ask-ack',
        'answer-resume',
        'frame',
        'request-failed',
      ]),
    );
    for (const operation of Object.values(document.operations)) {
      for (const { $ref } of operation.messages) {
        expect(messages).toHaveProperty([$ref.replace('#/channels/root/messages/', '')]);
      }
    }
    expect(document.operations['question-ask']?.action).toBe('receive');
    expect(document.operations.frame?.action).toBe('send');
  });

  it('is the one in docs/protocol (update: npx vitest run test/stream/protocol -u)', async () => {
    const file = new URL('asyncapi.yaml', PROTOCOL).pathname;
    await expect(stringify(document, { aliasDuplicateObjects: false })).toMatchFileSnapshot(file);
  });
});
