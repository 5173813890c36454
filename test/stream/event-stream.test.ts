import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { FrameBody } from '../../src/frames.js';
import { type HttpTestServer, startHttpServer } from './http-server.js';
import { completed, started } from './scripted-answers.js';

const FRAME_BYTES = 64_000;
const LENGTH = 600;

let server: HttpTestServer | undefined;
afterEach(() => server?.close());

interface Script {
  /** Frames that the pipeline was asked for so far. */
  written: number;
  aborted: boolean;
}

/** 38 MB of frames, if somebody reads them; then the end, or none until it is stopped. */
async function serve(stallMs: number, { ends = true } = {}): Promise<{ url: string; script: Script }> {
  const script: Script = { written: 0, aborted: false };
  server = await startHttpServer(
    async function* ({ text }, { signal }): AsyncGenerator<FrameBody> {
      yield started(text);
      for (; script.written < LENGTH; script.written += 1) {
        if (signal.aborted) {
          script.aborted = true;
          return;
        }
        yield { type: 'handoff-requested', reason: 'x'.repeat(FRAME_BYTES) };
        await new Promise(setImmediate);
      }
      if (!ends && !signal.aborted) await once(signal, 'abort');
      script.aborted = signal.aborted;
      yield completed('Done.');
    },
    { limits: { stallMs, heartbeatMs: 60_000 } },
  );
  return { url: server.url, script };
}

/** Asks, and reads nothing of the reply but its head. */
async function askAndStall(url: string): Promise<IncomingMessage> {
  const asking = httpRequest(`${url}/v1/answers`, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
  });
  asking.end(JSON.stringify({ knowledgeBase: 'shop', text: 'How long?' }));
  const [reply] = (await once(asking, 'response')) as [IncomingMessage];
  reply.pause();
  return reply;
}

const seqsOf = (events: string): number[] =>
  [...events.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));

describe('A reader of an event stream that does not read', () => {
  it('is sent no more until it does, then gets every frame', async () => {
    const { url, script } = await serve(60_000);
    let taken = 0;
    const { runner } = server as HttpTestServer;
    const { follow } = runner;
    runner.follow = async function* (...given) {
      for await (const frame of follow(...given)) {
        taken += 1;
        yield frame;
      }
    };
    const reply = await askAndStall(url);
    await expect.poll(() => script.written, { timeout: 20_000 }).toBe(LENGTH);
    await expect.poll(() => runner.running, { timeout: 20_000 }).toBe(0);
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(LENGTH);
    expect(seqsOf(await readText(reply))).toEqual(Array.from({ length: LENGTH + 2 }, (_, seq) => seq));
  });

  it('is dropped when it reads nothing for too long, told why, and its answer is stopped', async () => {
    // Without an end: a fast machine is through with all frames before the reader has stalled for long.
    const { url, script } = await serve(30, { ends: false });
    const reply = await askAndStall(url);
    await expect.poll(() => script.aborted, { timeout: 20_000 }).toBe(true);
    const events = await readText(reply).catch(() => 'cut off');
    const [last] = events.trimEnd().split('\n\n').slice(-1);
    expect(last).toContain('event: request-failed');
    expect(last).toContain('"code":"timeout"');
    expect(last).toContain('What was sent here was not read in time.');
    expect(seqsOf(events).length).toBeLessThan(LENGTH);
    await expect.poll(() => server?.runner.running, { timeout: 20_000 }).toBe(0);
  });

  it('that never reads again is cut off all the same', async () => {
    const { url } = await serve(30);
    await askAndStall(url);
    // A request is counted when its connection to the client is over.
    const counted = async (): Promise<boolean> =>
      (await (await fetch(`${url}/metrics`)).text()).includes('route="/v1/answers"');
    await expect.poll(counted, { timeout: 20_000 }).toBe(true);
  });
});
