import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Reranker } from '../../src/rerank/reranker.js';
import { createAccess } from '../../src/stream/access.js';
import { createExplanationRoutes, explanationReplySchema } from '../../src/stream/explanation-routes.js';
import { traceOf } from '../support/frames.js';
import { candidate, type HttpTestServer, passage, startHttpServer } from './http-server.js';

/** Likes the number. */
const reranker: Reranker & { calls: number } = {
  model: 'likes-thirty',
  threshold: 0.5,
  calls: 0,
  async score(_question, texts) {
    this.calls += 1;
    return texts.map((text) => {
      const logit = text.includes('30') ? 2 : -1;
      return { logit, sigmoid: 1 / (1 + Math.exp(-logit)), windows: 1, truncated: false };
    });
  },
};

let answers: HttpTestServer;
let server: HttpTestServer;
let bare: HttpTestServer;
let messageId: string;
beforeAll(async () => {
  answers = await startHttpServer();
  const shared = { access: createAccess(answers.store), traces: answers.store };
  server = await startHttpServer(undefined, { routers: [createExplanationRoutes({ ...shared, reranker })] });
  bare = await startHttpServer(undefined, {
    routers: [createExplanationRoutes({ ...shared, reranker: null })],
  });
  const question = { knowledgeBase: 'shop', text: 'How long?' };
  const { body } = await supertest(answers.url).post('/v1/answers').send(question).expect(200);
  messageId = body.messageId;
  const trace = traceOf(messageId, body.conversationId);
  await answers.store.writeTrace({ ...trace, candidates: [candidate] });
});
afterAll(() => Promise.all([answers, server, bare].map((one) => one.close())));

const address = (message: string, passageId: string): string =>
  `/v1/messages/${message}/trace/passages/${passageId}/explanation`;

describe('the explanation of a passage in a trace', () => {
  it('says which words drove its score, and computes that once', async () => {
    const get = () => supertest(server.url).get(address(messageId, passage.id)).expect(200);
    const { body } = await get();
    expect(explanationReplySchema.strict().parse(body)).toEqual(body);
    const counted = body.pieces.filter(({ effect }: { effect: number }) => effect !== 0);
    expect(counted).toEqual([{ span: [9, 11], effect: 3 }]);
    expect((await get()).body).toEqual(body);
    expect(reranker.calls).toBe(1);
  });

  it('is not there for another passage, another message, or without a reranker', async () => {
    const agent = supertest(server.url);
    await agent.get(address(messageId, 'elsewhere')).expect(404);
    await agent.get(address('6f2b0cb5-8a6f-4b0f-9a3e-0b8d2f6a1c11', passage.id)).expect(404);
    await agent.get(address('no-id', passage.id)).expect(400);
    const { body } = await supertest(bare.url).get(address(messageId, passage.id)).expect(503);
    expect(body.error.code).toBe('unavailable');
  });
});
