/** transformers.js as its users call it: tokenize all pairs with padding, one call of the model, on the main thread. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { AutoModelForSequenceClassification, AutoTokenizer, env } from '@huggingface/transformers';

const [modelsDir] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = modelsDir;
const loaded = new Map();

async function load(name, dtype) {
  const tokenizer = await AutoTokenizer.from_pretrained(name);
  const model = await AutoModelForSequenceClassification.from_pretrained(name, { dtype, device: 'cpu' });
  return { tokenizer, model };
}

async function rerank({ tokenizer, model }, question, passages) {
  const inputs = tokenizer(new Array(passages.length).fill(question), {
    text_pair: passages,
    padding: true,
    truncation: true,
  });
  const { logits } = await model(inputs);
  return logits.tolist().map(([logit]) => logit);
}

process.on('message', async ({ id, name, dtype, question, passages, times }) => {
  if (!loaded.has(name)) loaded.set(name, await load(name, dtype));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  // Its first tick only starts the clock.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const start = performance.now();
  const results = await Promise.all(
    Array.from({ length: times }, () => rerank(loaded.get(name), question, passages)),
  );
  const milliseconds = performance.now() - start;
  await new Promise((resolve) => setTimeout(resolve, 5));
  delay.disable();
  const eventLoop = { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
  process.send({ id, milliseconds, logits: results[0], eventLoop, rssBytes: process.memoryUsage.rss() });
});
process.send({ ready: true });
