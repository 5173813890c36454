import { afterEach, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.js';
import { askOverSocket } from '../support/ask-over-socket.js';
import { type ModelServer, startModelServer } from '../support/model-server.js';
import { type CollectedSpan, type SpanCollector, startSpanCollector } from '../support/span-collector.js';

const QUESTION = {
  knowledgeBase: 'shop',
  text: 'How many days do I, me@example.org, have to return an item?',
};
const CALLER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const traceparent = `00-${CALLER.traceId}-${CALLER.spanId}-01`;

let model: ModelServer | undefined;
let collector: SpanCollector | undefined;
let running: TestApp | undefined;
afterEach(async () => {
  await running?.close();
  await collector?.close();
  await model?.close();
});

async function start(): Promise<{ url: string; model: ModelServer; collector: SpanCollector }> {
  model = await startModelServer({ steps: ['You have 30 days ', 'to return an item [1].'] });
  collector = await startSpanCollector();
  running = await startTestApp({
    env: {
      OPENAI_BASE_URL: model.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=k',
    },
  });
  return { url: running.url, model, collector };
}

/** Closing sends what is left. */
async function collected({ spans }: SpanCollector): Promise<readonly CollectedSpan[]> {
  await running?.close();
  running = undefined;
  return collector?.spans ?? spans;
}

async function ask(url: string, headers: Record<string, string> = {}): Promise<{ messageId: string }> {
  const response = await fetch(`${url}/v1/answers`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(QUESTION),
  });
  return (await response.json()) as { messageId: string };
}

describe('With a collector, an answer', () => {
  it('is a trace: each step a span below it, in the trace of whoever asked', async () => {
    const { url, model: service, collector: spansAt } = await start();
    const { messageId } = await ask(url, { traceparent, 'x-request-id': 'r-1' });
    const spans = await collected(spansAt);
    const named = (name: string): CollectedSpan => {
      const found = spans.filter((span) => span.name === name && span.traceId === CALLER.traceId);
      expect(found, name).toHaveLength(1);
      return found[0] as CollectedSpan;
    };
    const answer = named('answer');
    expect(answer.parentSpanId).toBe(CALLER.spanId);
    expect(answer.attributes).toMatchObject({
      'askbase.request.id': 'r-1',
      'askbase.message.id': messageId,
      'askbase.knowledge_base': 'shop',
      'askbase.status': 'answered',
    });
    for (const name of ['understand', 'retrieve', 'rerank', 'model-request', 'ground', 'write-trace']) {
      expect(named(name).parentSpanId, name).toBe(answer.spanId);
    }
    for (const name of ['embed', 'search']) expect(named(name).parentSpanId).toBe(named('retrieve').spanId);
    for (const name of ['first-token', 'generation']) {
      expect(named(name).parentSpanId).toBe(named('model-request').spanId);
    }
    expect(named('search').attributes).toHaveProperty(['askbase.dense.hits']);
    expect(named('generation').attributes).toMatchObject({ 'gen_ai.usage.output_tokens': 20 });
    expect(service.requests.at(-1)?.headers.traceparent).toBe(
      `00-${CALLER.traceId}-${named('model-request').spanId}-01`,
    );
  });

  it('is a trace of its own where nobody sent one, over a socket too, and answers do not mix', async () => {
    const { url, collector: spansAt } = await start();
    await Promise.all([askOverSocket(url, QUESTION), askOverSocket(url, QUESTION), ask(url)]);
    const spans = await collected(spansAt);
    const answers = spans.filter(({ name }) => name === 'answer');
    expect(new Set(answers.map(({ traceId }) => traceId)).size).toBe(3);
    for (const { spanId, parentSpanId, traceId } of answers) {
      expect(parentSpanId ?? '').toBe('');
      const steps = spans.filter((span) => span.parentSpanId === spanId);
      expect(steps.every((step) => step.traceId === traceId)).toBe(true);
      expect(steps.filter(({ name }) => name === 'retrieve')).toHaveLength(1);
    }
  });

  it('says which part failed, by the code of the error', async () => {
    const { url, model: service, collector: spansAt } = await start();
    service.respond({ status: 500, body: 'secret of the service' });
    await ask(url);
    const spans = await collected(spansAt);
    for (const name of ['answer', 'model-request', 'first-token']) {
      expect(spans.find((span) => span.name === name)?.status, name).toEqual({
        code: 2,
        message: 'model-failed',
      });
    }
    expect(spansAt.bodies.join()).not.toContain('secret of the service');
  });

  it('tells the collector nothing that anybody wrote', async () => {
    const { url, collector: spansAt } = await start();
    await ask(url);
    await collected(spansAt);
    const sent = spansAt.bodies.join();
    expect(sent).toContain('askbase.message.id');
    for (const word of ['me@example.org', 'return an item', '30 days', 'delivery']) {
      expect(sent).not.toContain(word);
    }
    expect(spansAt.headers[0]).toMatchObject({ 'x-collector-key': 'k' });
  });

  it('is given all the same when the collector is away or hangs', async () => {
    const { url, collector: spansAt } = await start();
    await spansAt.close();
    expect(await ask(url)).toMatchObject({ status: 'answered' });
    await collected(spansAt);
  });
});
