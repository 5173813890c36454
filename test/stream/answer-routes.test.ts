import { randomUUID } from 'node:crypto';
import request from 'supertest';
import { afterEach, describe, expect, it } from 'vitest';
import type { AnswerFrame } from '../../src/frames.js';
import { answerReplySchema, framesReplySchema } from '../../src/stream/reply-schemas.js';
import { type HttpTestServer, startHttpServer } from './http-server.js';
import { completed, createEndless, createGate, delta, sources, started } from './scripted-answers.js';
import { type ReadEvent, readEvents } from './server-sent-events.js';

let server: HttpTestServer;
afterEach(() => server.close());

const question = { knowledgeBase: 'shop', text: '退货要几天？' };

const postEvents = (signal?: AbortSignal): Promise<Response> =>
  fetch(`${server.url}/v1/answers`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
    body: JSON.stringify(question),
    signal: signal ?? null,
  });

const frameOf = ({ data }: ReadEvent): AnswerFrame => JSON.parse(data);

async function all(response: Response): Promise<ReadEvent[]> {
  const events: ReadEvent[] = [];
  for await (const event of readEvents(response)) events.push(event);
  return events;
}

describe('POST /v1/answers', () => {
  it('replies with the whole answer, its sources and all its frames', async () => {
    server = await startHttpServer();
    const { body } = await request(server.url).post('/v1/answers').send(question).expect(200);
    expect(answerReplySchema.strict().parse(body)).toEqual(body);
    expect(body).toMatchObject({
      status: 'answered',
      text: 'You asked: 退货要几天？',
      sources: [{ n: 1, title: 'Returns' }],
      citations: [{ n: 1 }],
      degraded: ['dense'],
    });
    expect(body.frames.map(({ seq }: AnswerFrame) => seq)).toEqual(
      [0, 1, 2, 3, 4, 5].slice(0, body.frames.length),
    );
  });

  it('streams the same frames as events: id is the seq, event the type', async () => {
    server = await startHttpServer();
    const response = await postEvents();
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const events = await all(response);
    expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index));
    for (const event of events) expect(event.event).toBe(frameOf(event).type);
    const { messageId } = frameOf(events[0] as ReadEvent);
    const stored = await request(server.url).get(`/v1/answers/${messageId}/frames`);
    expect(events.map(frameOf)).toEqual(stored.body.frames);
  });

  it('replies with the status and the error of an answer that failed, and streams it as a frame', async () => {
    server = await startHttpServer(async function* ({ text }) {
      yield started(text);
      throw new Error('password=hunter2');
    });
    const { body } = await request(server.url).post('/v1/answers').send(question).expect(500);
    expect(body).toEqual({ error: { code: 'internal', message: expect.any(String), retryable: true } });
    const events = await all(await postEvents());
    expect(events.map(({ event }) => event)).toEqual(['answer-started', 'answer-failed']);
  });

  it('keeps a silent stream open with comments', async () => {
    const gate = createGate();
    server = await startHttpServer(
      async function* () {
        await gate.opened;
        yield completed('Done.');
      },
      { limits: { heartbeatMs: 1 } },
    );
    const response = await postEvents();
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toMatch(/^: /);
    gate.open();
    await reader?.cancel();
  });

  it.each(['text/event-stream', 'application/json'])(
    'stops the answer when the %s client hangs up',
    async (type) => {
      const endless = createEndless();
      server = await startHttpServer(endless.pipeline);
      const client = new AbortController();
      const reply = fetch(`${server.url}/v1/answers`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: type },
        body: JSON.stringify(question),
        signal: client.signal,
      });
      await endless.writing;
      client.abort();
      await reply.catch(() => undefined);
      await endless.aborted;
      await expect.poll(() => server.runner.running).toBe(0);
    },
  );

  it('refuses what it cannot reply with', async () => {
    server = await startHttpServer();
    const reply = await request(server.url)
      .post('/v1/answers')
      .set('Accept', 'image/png')
      .send(question)
      .expect(406);
    expect(reply.body.error).toMatchObject({ code: 'not-acceptable' });
  });
});

describe('GET /v1/answers/:messageId/frames', () => {
  it('gives the frames stored so far, while the answer runs and when it is over', async () => {
    const gate = createGate();
    server = await startHttpServer(async function* ({ text }) {
      yield started(text);
      yield sources;
      await gate.opened;
      yield delta('Done.');
      yield completed('Done.');
    });
    const { messageId } = await server.runner.start(question);
    const read = async (query = ''): Promise<{ ended: boolean; frames: AnswerFrame[] }> => {
      const { body } = await request(server.url).get(`/v1/answers/${messageId}/frames${query}`).expect(200);
      expect(framesReplySchema.strict().parse(body)).toEqual(body);
      return body;
    };
    await expect.poll(async () => (await read()).frames.length).toBe(2);
    expect((await read()).ended).toBe(false);
    gate.open();
    await expect.poll(async () => (await read()).ended).toBe(true);
    expect((await read('?afterSeq=1')).frames.map(({ type }) => type)).toEqual([
      'text-delta',
      'answer-completed',
    ]);
  });

  it('as events goes on after Last-Event-ID, at every seq, then says that there is nothing left', async () => {
    server = await startHttpServer();
    const { body } = await request(server.url).post('/v1/answers').send(question);
    const last = body.frames.length - 1;
    const resume = (afterSeq: number): Promise<Response> =>
      fetch(`${server.url}/v1/answers/${body.messageId}/frames?afterSeq=0`, {
        headers: { Accept: 'text/event-stream', 'Last-Event-ID': String(afterSeq) },
      });
    for (let seq = -1; seq < last; seq += 1) {
      expect((await all(await resume(seq))).map(frameOf)).toEqual(body.frames.slice(seq + 1));
    }
    expect((await resume(last)).status).toBe(204);
  });

  it('as events ends with request-failed where the rest of the frames is lost', async () => {
    server = await startHttpServer();
    const { body } = await request(server.url).post('/v1/answers').send(question);
    server.runner.follow = async function* () {
      yield body.frames[0];
      throw new Error('password=hunter2');
    };
    const events = await all(
      await fetch(`${server.url}/v1/answers/${body.messageId}/frames`, {
        headers: { Accept: 'text/event-stream' },
      }),
    );
    expect(events.map(({ event }) => event)).toEqual(['answer-started', 'request-failed']);
    expect(JSON.parse(events[1]?.data ?? '')).toEqual({
      error: { code: 'internal', message: expect.any(String), retryable: true },
    });
    expect(server.logger.lines).toContainEqual(expect.objectContaining({ level: 'error' }));
  });

  it.each([
    ['an id of the wrong shape', 'nonsense', '', 400],
    ['an unknown id', randomUUID(), '', 404],
    ['a seq of the wrong type', randomUUID(), '?afterSeq=two', 400],
    ['an empty seq', randomUUID(), '?afterSeq=', 400],
    ['two seqs', randomUUID(), '?afterSeq=1&afterSeq=2', 400],
    ['a query it does not know', randomUUID(), '?after=1', 400],
  ])('refuses %s', async (_, messageId, query, status) => {
    server = await startHttpServer();
    const { body } = await request(server.url).get(`/v1/answers/${messageId}/frames${query}`).expect(status);
    expect(body.error.code).toBe(status === 404 ? 'not-found' : 'invalid');
  });
});

describe('DELETE /v1/answers/:messageId', () => {
  it('stops the answer', async () => {
    const endless = createEndless();
    server = await startHttpServer(endless.pipeline);
    const { messageId } = await server.runner.start(question);
    await endless.writing;
    const stop = () => request(server.url).delete(`/v1/answers/${messageId}`).expect(200);
    expect((await stop()).body).toEqual({ messageId, stopped: true });
    await endless.aborted;
    expect((await stop()).body).toEqual({ messageId, stopped: false });
  });
});
