/** One session as it comes, batches of 8 in the order of the request, each padded to its longest. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [modelsDir] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const { InferenceSession, Tensor } = require('onnxruntime-node');
const { Tokenizer } = await import('@huggingface/tokenizers');
const sessions = new Map();
const BATCH = 8;
const MAX_LENGTH = 512;

async function load(name, file) {
  const json = JSON.parse(readFileSync(join(modelsDir, name, 'tokenizer.json'), 'utf8'));
  const session = await InferenceSession.create(join(modelsDir, name, 'onnx', file));
  return { session, tokenizer: new Tokenizer(json, {}) };
}

function toTensor(rows, length, fill) {
  const values = new BigInt64Array(rows.length * length).fill(BigInt(fill));
  for (const [row, ids] of rows.entries())
    for (const [at, id] of ids.entries()) values[row * length + at] = BigInt(id);
  return new Tensor('int64', values, [rows.length, length]);
}

async function rerank({ session, tokenizer }, question, passages) {
  const logits = [];
  for (let start = 0; start < passages.length; start += BATCH) {
    const encoded = passages.slice(start, start + BATCH).map((passage) => {
      const pair = tokenizer.encode(question, { text_pair: passage, return_token_type_ids: true });
      return {
        ids: pair.ids.slice(0, MAX_LENGTH),
        mask: pair.attention_mask.slice(0, MAX_LENGTH),
        types: pair.token_type_ids.slice(0, MAX_LENGTH),
      };
    });
    const length = Math.max(...encoded.map(({ ids }) => ids.length));
    const result = await session.run({
      input_ids: toTensor(
        encoded.map(({ ids }) => ids),
        length,
        0,
      ),
      attention_mask: toTensor(
        encoded.map(({ mask }) => mask),
        length,
        0,
      ),
      token_type_ids: toTensor(
        encoded.map(({ types }) => types),
        length,
        0,
      ),
    });
    logits.push(...result.logits.data);
  }
  return logits;
}

process.on('message', async ({ id, name, file, question, passages }) => {
  if (!sessions.has(name)) sessions.set(name, await load(name, file));
  const start = performance.now();
  const logits = await rerank(sessions.get(name), question, passages);
  process.send({ id, milliseconds: performance.now() - start, logits });
});
process.send({ ready: true });
