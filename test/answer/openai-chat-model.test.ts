import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChatEvent, ChatMessage } from '../../src/answer/chat-model.js';
import { type ChatLimits, createOpenAIChatModel } from '../../src/answer/openai-chat-model.js';
import { AppError, toPublicError } from '../../src/errors.js';
import { type ModelServer, type ModelStep, startModelServer } from '../support/model-server.js';
import { silentLogger } from '../support/silent-logger.js';

const MESSAGES: ChatMessage[] = [{ role: 'user', content: 'Hi' }];
const never = new AbortController().signal;

let server: ModelServer;
beforeEach(async () => {
  server = await startModelServer();
});
afterEach(() => server.close());

function model(models = ['first'], limits: Partial<ChatLimits> = {}) {
  return createOpenAIChatModel({ apiKey: 'key', baseUrl: server.url, models, limits, logger: silentLogger });
}

async function read(events: AsyncIterable<ChatEvent>): Promise<{ text: string; usage: unknown }> {
  let text = '';
  let usage: unknown;
  for await (const event of events) {
    if (event.type === 'text') text += event.text;
    if (event.type === 'usage') usage = event.usage;
  }
  return { text, usage };
}

/** Two million characters of one line. */
function endless(): ModelStep[] {
  return [{ raw: `data: ${'x'.repeat(1_000_001)}` }, { raw: 'x'.repeat(1_000_000) }];
}

async function failure(events: AsyncIterable<ChatEvent>): Promise<AppError> {
  const thrown = await read(events).then(
    () => expect.fail('the model answered'),
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(AppError);
  return thrown as AppError;
}

describe('a chat model behind an OpenAI-shaped service', () => {
  it('streams the text, then the usage', async () => {
    server.respond({
      steps: ['Thirty', ' days.'],
      usage: { prompt_tokens: 7, completion_tokens: 3 },
    });
    const answer = await read(model().stream(MESSAGES, { signal: never }));
    expect(answer).toEqual({
      text: 'Thirty days.',
      usage: { model: 'first', promptTokens: 7, completionTokens: 3 },
    });
    expect(server.requests[0]?.headers.authorization).toBe('Bearer key');
  });

  it.each(['length', 'content_filter'] as const)('tells an end that the service made: %s', async (finish) => {
    server.respond({ steps: ['You have'], usage: null, finish });
    const events: ChatEvent[] = [];
    for await (const event of model().stream(MESSAGES, { signal: never })) events.push(event);
    expect(events).toEqual([{ type: 'text', text: 'You have' }, { type: 'cut-off' }]);
  });

  it('ends an answer that grows beyond all measure, and the request with it', async () => {
    server.respond({ steps: ['again and ', 'again and ', { stall: true }] });
    const events: ChatEvent[] = [];
    for await (const event of model(['first'], { characters: 15 }).stream(MESSAGES, { signal: never })) {
      events.push(event);
    }
    expect(events.at(-1)).toEqual({ type: 'cut-off' });
    expect(await server.requests[0]?.ended).toBe('cancelled');
  });

  it('hands on each delta before the next one comes', async () => {
    let release = (): void => {};
    const wait = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.respond({ steps: ['one', { wait }, 'two'] });
    const events = model().stream(MESSAGES, { signal: never })[Symbol.asyncIterator]();
    expect((await events.next()).value).toEqual({ type: 'text', text: 'one' });
    release();
    expect((await events.next()).value).toEqual({ type: 'text', text: 'two' });
    await events.return?.();
  });

  it('reads the first text at once, then in one piece all that comes until the clock ticks', async () => {
    let tick = (): void => {};
    const clock = {
      untilNextTick: () =>
        new Promise<void>((resolve) => {
          tick = resolve;
        }),
    };
    let goOn = (): void => {};
    const wait = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const later = { wait: wait.then(() => sleep(20)) };
    server.respond({ steps: [{ reasoning: 'Hmm.' }, 'one', { wait }, ' two', later, ' three', ' four'] });
    const chat = createOpenAIChatModel({
      apiKey: 'key',
      baseUrl: server.url,
      models: ['first'],
      logger: silentLogger,
      clock,
    });
    const events = chat.stream(MESSAGES, { signal: never })[Symbol.asyncIterator]();
    expect((await events.next()).value).toEqual({ type: 'text', text: 'one' });
    const next = events.next();
    goOn();
    expect(await server.requests[0]?.ended).toBe('completed');
    // What was sent has come once nothing more can: the sockets are both in this process.
    await sleep(50);
    tick();
    expect((await next).value).toEqual({ type: 'text', text: ' two three four' });
    await events.return?.();
  });

  it('does without usage where the service does not report it', async () => {
    server.respond({ steps: ['Hi'], usage: null });
    expect(await read(model().stream(MESSAGES, { signal: never }))).toEqual({ text: 'Hi', usage: undefined });
  });

  it('asks again without stream_options where the service refuses them, and remembers that', async () => {
    server.respond(({ body }) => (body.stream_options ? { status: 400 } : { steps: ['Hi'] }));
    const chat = model();
    expect((await read(chat.stream(MESSAGES, { signal: never }))).text).toBe('Hi');
    expect((await read(chat.stream(MESSAGES, { signal: never }))).text).toBe('Hi');
    expect(server.requests.map(({ body }) => body.stream_options !== undefined)).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('sends pictures as image parts', async () => {
    const images = ['data:image/png;base64,AAAA'];
    await read(model().stream([{ role: 'user', content: 'See', images }], { signal: never }));
    expect(server.requests[0]?.body.messages[0]?.content).toEqual([
      { type: 'text', text: 'See' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
    ]);
  });

  it('leaves out what a reasoning model thinks, in either shape', async () => {
    server.respond({ steps: [{ reasoning: 'Hmm.' }, '<thi', 'nk>Let me see</th', 'ink>\n\n', 'Yes.'] });
    expect((await read(model().stream(MESSAGES, { signal: never }))).text).toBe('Yes.');
  });

  it('keeps a multi-byte character whole that was cut between two packets', async () => {
    const bytes = Buffer.from(`data: ${JSON.stringify({ choices: [{ delta: { content: '退货' } }] })}\n\n`);
    const cut = bytes.indexOf(Buffer.from('货')) + 1;
    server.respond({ steps: [{ raw: bytes.subarray(0, cut) }, { raw: bytes.subarray(cut) }] });
    expect((await read(model().stream(MESSAGES, { signal: never }))).text).toBe('退货');
  });
});

describe('a chat model that fails', () => {
  it.each([
    [401, 'model-failed', false],
    [404, 'model-failed', false],
    [429, 'overloaded', true],
    [500, 'model-failed', true],
    [503, 'overloaded', true],
    [504, 'timeout', true],
  ] as const)('turns status %i into %s', async (status, code, retryable) => {
    server.respond({ status, body: '{"error":{"message":"secret upstream words"}}' });
    const error = await failure(model().stream(MESSAGES, { signal: never }));
    expect(error).toMatchObject({ code, retryable });
    expect(error.message).not.toContain('secret');
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('passes on when to try again', async () => {
    server.respond({ status: 429, headers: { 'retry-after': '7' } });
    const error = await failure(model().stream(MESSAGES, { signal: never }));
    expect(toPublicError(error).retryAfterSeconds).toBe(7);
  });

  it('does not call an account without credit busy', async () => {
    server.respond({ status: 429, body: '{"error":{"code":"insufficient_quota"}}' });
    expect(await failure(model().stream(MESSAGES, { signal: never }))).toMatchObject({
      code: 'model-failed',
      retryable: false,
    });
  });

  it.each([
    ['garbage instead of a stream', { status: 200, body: '<html>' }],
    ['frames that are no JSON', { steps: [{ raw: 'data: {"choices": [\n\n' }] }],
    ['an error inside the stream', { steps: [{ raw: 'data: {"error":{"message":"boom"}}\n\n' }] }],
    ['a frame without an end', { steps: [...endless(), { stall: true }] }],
    ['a hang-up before the first word', { steps: [{ hangUp: true }] }],
    ['an empty answer', { steps: [] }],
  ] as const)('calls %s a failed model', async (_, reply) => {
    server.respond(reply);
    expect((await failure(model().stream(MESSAGES, { signal: never }))).code).toBe('model-failed');
  });

  it('fails after the words that came when the service hangs up in the middle', async () => {
    server.respond({ steps: ['Thirty', { hangUp: true }] });
    const texts: ChatEvent[] = [];
    const run = async (): Promise<void> => {
      for await (const event of model(['first', 'second']).stream(MESSAGES, { signal: never }))
        texts.push(event);
    };
    await expect(run()).rejects.toMatchObject({ code: 'model-failed' });
    expect(texts).toEqual([{ type: 'text', text: 'Thirty' }]);
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ['never answers', { silent: true }, { firstToken: 30 }],
    ['says nothing after the headers', { steps: [{ stall: true }] }, { firstToken: 30 }],
    ['falls silent in the middle', { steps: ['Thirty', { stall: true }] }, { silence: 30 }],
    ['never comes to an end', { steps: ['Thirty', { stall: true }] }, { total: 60 }],
  ] as const)('gives up on a service that %s, and cancels the request', async (_, reply, limits) => {
    server.respond(reply);
    const error = await failure(model(['first'], limits).stream(MESSAGES, { signal: never }));
    expect(error.code).toBe('timeout');
    expect(await (await server.arrived(1)).ended).toBe('cancelled');
  });

  it('gives up on a connection that is never established', async () => {
    const mute = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as { port: number };
    const chat = createOpenAIChatModel({
      apiKey: 'key',
      baseUrl: `https://127.0.0.1:${port}/v1`,
      models: ['first'],
      limits: { connect: 50 },
      logger: silentLogger,
    });
    expect((await failure(chat.stream(MESSAGES, { signal: never }))).code).toBe('timeout');
    await new Promise((resolve) => mute.close(resolve));
  });

  it('cancels the request when the answer is stopped', async () => {
    server.respond({ steps: ['Thirty', { stall: true }] });
    const stop = new AbortController();
    const events = model().stream(MESSAGES, { signal: stop.signal })[Symbol.asyncIterator]();
    await events.next();
    stop.abort();
    await expect(events.next()).rejects.toMatchObject({ code: 'stopped' });
    expect(await (await server.arrived(1)).ended).toBe('cancelled');
  });

  it('cancels the request when nobody reads on', async () => {
    server.respond({ steps: ['Thirty', { stall: true }] });
    for await (const _ of model().stream(MESSAGES, { signal: never })) break;
    expect(await (await server.arrived(1)).ended).toBe('cancelled');
  });
});

describe('several chat models', () => {
  it('answers with the next model when the first fails before its first word', async () => {
    server.respond(({ body }) => (body.model === 'first' ? { status: 500 } : { steps: ['Hi'] }));
    const { text, usage } = await read(model(['first', 'second']).stream(MESSAGES, { signal: never }));
    expect(text).toBe('Hi');
    expect(usage).toMatchObject({ model: 'second' });
  });

  it('passes over a model that failed lately', async () => {
    server.respond(({ body }) => (body.model === 'first' ? { status: 500 } : { steps: ['Hi'] }));
    const chat = model(['first', 'second']);
    await read(chat.stream(MESSAGES, { signal: never }));
    await read(chat.stream(MESSAGES, { signal: never }));
    expect(server.requests.map(({ body }) => body.model)).toEqual(['first', 'second', 'second']);
  });

  it('does not pass over a model that only refused one request', async () => {
    server.respond(({ body }, index) =>
      index < 2 && body.model === 'first' ? { status: 400 } : { steps: ['Hi'] },
    );
    const chat = model(['first', 'second']);
    await read(chat.stream(MESSAGES, { signal: never }));
    await read(chat.stream(MESSAGES, { signal: never }));
    expect(server.requests.map(({ body }) => body.model)).toEqual(['first', 'first', 'second', 'first']);
  });

  it('tries them all again when all of them failed lately', async () => {
    server.respond({ status: 500 });
    const chat = model(['first', 'second']);
    await failure(chat.stream(MESSAGES, { signal: never }));
    server.respond({ steps: ['Back.'] });
    expect((await read(chat.stream(MESSAGES, { signal: never }))).text).toBe('Back.');
  });

  it('tells the failure that gives most hope, and keeps them all as its cause', async () => {
    server.respond(({ body }) =>
      body.model === 'first' ? { status: 401 } : { status: 429, headers: { 'retry-after': '3' } },
    );
    const error = await failure(model(['first', 'second']).stream(MESSAGES, { signal: never }));
    expect(error).toMatchObject({ code: 'overloaded', retryable: true, retryAfterSeconds: 3 });
    expect((error.cause as AggregateError).errors).toHaveLength(2);
  });
});
