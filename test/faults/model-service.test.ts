import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.js';
import { type ModelReply, type ModelServer, startModelServer } from '../support/model-server.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { describeOutcome, lostMessages, startLoad } from './load.js';

let model: ModelServer;
let network: TcpProxy;
let running: TestApp;

beforeAll(async () => {
  model = await startModelServer();
  network = await startTcpProxy(model.url);
  const open = 'questions=100000,tokens=100000000,answers=1000';
  running = await startTestApp({
    env: { OPENAI_BASE_URL: `${network.url}/v1`, LIMIT_PER_SOCKET: open, LIMIT_PER_ADDRESS: open },
  });
});
afterAll(async () => {
  await running?.close();
  await network?.close();
  await model?.close();
});

const whole: ModelReply = { steps: ['You have ', '30 days ', '[1].'] };
const SECRET = 'upstream-secret';
const half = 'data: {"choices":[{"index":0,"delta":{"content":"half';

const faults: [string, ModelReply, readonly string[]][] = [
  ['answers 429', { status: 429, body: SECRET, headers: { 'retry-after': '1' } }, ['overloaded']],
  ['answers 500', { status: 500, body: SECRET }, ['model-failed']],
  ['answers garbage with status 200', { status: 200, body: `<html>${SECRET}` }, ['model-failed']],
  ['resets the connection', { steps: ['You ', { hangUp: true }] }, ['model-failed']],
  [
    'sends invalid UTF-8',
    {
      steps: ['You ', { raw: Uint8Array.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0x20, 0xff, 0xfe, 0x0a, 0x0a]) }],
    },
    ['model-failed'],
  ],
  ['sends half a frame and hangs up', { steps: ['You ', { raw: half }, { hangUp: true }] }, ['model-failed']],
];

test.each(faults)(
  'a model service that %s for every other request costs those alone',
  async (name, fault, codes) => {
    model.respond((_request, index) => (index % 2 === 0 ? fault : whole));
    const seen: string[] = [];
    const load = startLoad({ url: running.url, clients: 4 });
    await load.completed(20);
    const outcome = await load.finish();
    expect(outcome.lost).toEqual([]);
    expect(Object.keys(outcome.refused).filter((code) => !codes.includes(code))).toEqual([]);
    expect(await lostMessages(running.url, outcome.acknowledged)).toEqual([]);
    for (const messageId of outcome.acknowledged) {
      seen.push(await (await fetch(`${running.url}/v1/answers/${messageId}/frames`)).text());
    }
    expect(seen.join('')).not.toContain(SECRET);
    expect(name).toBeDefined();
  },
);

test('a model service that hangs holds up nobody else, and its own questions end with timeout', async ({
  annotate,
}) => {
  model.respond((_request, index) =>
    index === model.requests.length - 1 && index % 10 === 0 ? { silent: true } : whole,
  );
  const load = startLoad({ url: running.url, clients: 4 });
  await load.completed(40);
  const outcome = await load.finish();
  expect(outcome.lost).toEqual([]);
  expect(Object.keys(outcome.refused).filter((code) => code !== 'timeout')).toEqual([]);
  expect(outcome.refused.timeout).toBeGreaterThan(0);
  await annotate(`model service that hangs: ${describeOutcome(outcome)}`);
});

test('a slow network between server and model service loses nothing', async ({ annotate }) => {
  model.respond(whole);
  network.delay(300);
  const load = startLoad({ url: running.url, clients: 4 });
  await load.completed(20);
  const outcome = await load.finish();
  network.delay(0);
  expect(outcome).toMatchObject({ lost: [], refused: {} });
  await annotate(`300 ms each way to the model service: ${describeOutcome(outcome)}`);
});

test('a slow network between client and server that breaks now and then loses nothing', async ({
  annotate,
}) => {
  model.respond(whole);
  const between = await startTcpProxy(running.url);
  between.delay(100);
  const load = startLoad({ url: between.url, clients: 4 });
  for (let round = 1; round <= 5; round += 1) {
    await load.completed(4 * round);
    between.cut();
  }
  await load.completed(24);
  const outcome = await load.finish();
  await between.close();
  expect(outcome.lost).toEqual([]);
  // A question whose acknowledgement was cut off: the client cannot know whether it arrived.
  expect(Object.keys(outcome.refused).filter((code) => code !== 'unavailable')).toEqual([]);
  expect(await lostMessages(running.url, outcome.acknowledged)).toEqual([]);
  await annotate(`100 ms each way, cut five times: ${describeOutcome(outcome)}`);
});
