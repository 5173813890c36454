import { request as httpRequest } from 'node:http';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from './support/app.js';
import { type ModelServer, startModelServer } from './support/model-server.js';

const QUESTION = { knowledgeBase: 'shop', text: 'How many days do I have to return an item?' };

/** How soon the model server sees it is measured by `npm run bench:load -- --only=stop`. */
describe('An answer that is not wanted any more cancels the request to the language model', () => {
  let model: ModelServer;
  let running: TestApp;
  beforeAll(async () => {
    model = await startModelServer();
    running = await startTestApp({ env: { OPENAI_BASE_URL: model.url, ANSWER_GRACE_SECONDS: '1' } });
  });
  afterAll(async () => {
    await running?.close();
    await model?.close();
  });
  beforeEach(() => model.respond({ steps: ['Once upon a time ', { stall: true }] }));

  const connect = () => io(running.url, { forceNew: true, reconnection: false, transports: ['websocket'] });

  it('when it is stopped', async () => {
    const count = model.requests.length;
    const socket = connect();
    const { messageId } = await socket.emitWithAck('question-ask', QUESTION);
    const upstream = await model.arrived(count + 1);
    expect(await socket.emitWithAck('answer-stop', { messageId })).toEqual({ ok: true, stopped: true });
    expect(await upstream.ended).toBe('cancelled');
    socket.disconnect();
  });

  it('when the reader of its event stream hangs up', async () => {
    const count = model.requests.length;
    const { port } = new URL(running.url);
    const headers = { accept: 'text/event-stream', 'content-type': 'application/json' };
    const reading = httpRequest({ host: '127.0.0.1', port, path: '/v1/answers', method: 'POST', headers });
    reading.on('error', () => undefined);
    reading.end(JSON.stringify(QUESTION));
    const upstream = await model.arrived(count + 1);
    reading.destroy();
    expect(await upstream.ended).toBe('cancelled');
  });

  it('when its socket does not come back within the grace period', async () => {
    const count = model.requests.length;
    const socket = connect();
    await socket.emitWithAck('question-ask', QUESTION);
    const upstream = await model.arrived(count + 1);
    socket.disconnect();
    expect(await upstream.ended).toBe('cancelled');
  });
});
