import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { startTestApp } from '../support/app.js';
import { askOverSocket } from '../support/ask-over-socket.js';
import { startModelServer } from '../support/model-server.js';

const { cache } = createRequire(import.meta.url);

/** In a file, so in a process, of its own: nothing else has loaded it. */
it('Without a collector nothing of OpenTelemetry is loaded, and requests to the model carry no trace', async () => {
  const model = await startModelServer({ steps: ['You have 30 days to return an item [1].'] });
  const { url, close } = await startTestApp({ env: { OPENAI_BASE_URL: model.url } });
  await askOverSocket(url, { knowledgeBase: 'shop', text: 'How many days do I have to return an item?' });
  await close();
  await model.close();
  expect(model.requests.at(-1)?.headers).not.toHaveProperty('traceparent');
  const loaded = Object.keys(cache);
  expect(loaded.some((file) => file.includes('prom-client'))).toBe(true);
  expect(loaded.filter((file) => /@opentelemetry.(?:sdk|exporter|otlp)/.test(file))).toEqual([]);
});
