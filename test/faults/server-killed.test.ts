import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createSqliteStore } from '../../src/store/sqlite-store.js';
import { type ModelServer, startModelServer } from '../support/model-server.js';
import { describeOutcome, lostMessages, startLoad } from './load.js';
import { createServerProcess, type ServerProcess } from './server-process.js';

let model: ModelServer;
let server: ServerProcess;
afterEach(async () => {
  await server?.remove();
  await model?.close();
});

test('a server that is killed under load loses no question and no feedback that it acknowledged', async ({
  annotate,
}) => {
  model = await startModelServer({ steps: ['You have ', '30 days ', '[1].'] });
  server = await createServerProcess({ OPENAI_BASE_URL: model.url });
  await server.start();
  const load = startLoad({ url: server.url });
  const judged: string[] = [];
  for (let round = 1; round <= 2; round += 1) {
    await load.completed(20 * round);
    judged.push(await judge(server.url));
    await server.kill();
    await server.start();
  }
  await load.completed(60);
  const outcome = await load.finish();
  expect(outcome.lost).toEqual([]);
  const codes = Object.keys(outcome.refused);
  expect(codes.filter((code) => code !== 'interrupted' && code !== 'unavailable')).toEqual([]);
  expect(await lostMessages(server.url, outcome.acknowledged)).toEqual([]);
  await server.kill();
  const store = await createSqliteStore({ file: join(server.dataDir, 'store.db') });
  for (const messageId of judged) {
    expect(await store.readFeedback(messageId)).toMatchObject({ verdict: 'up' });
  }
  await store.close();
  await annotate(`server killed twice under load: ${describeOutcome(outcome)}`);
});

async function judge(url: string): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const question = { knowledgeBase: 'shop', text: 'How many days do I have to return an item?' };
  const asked = await fetch(`${url}/v1/answers`, { method: 'POST', headers, body: JSON.stringify(question) });
  const { messageId } = (await asked.json()) as { messageId: string };
  const body = JSON.stringify({ messageId, verdict: 'up' });
  expect((await fetch(`${url}/v1/feedback`, { method: 'POST', headers, body })).status).toBe(204);
  return messageId;
}
