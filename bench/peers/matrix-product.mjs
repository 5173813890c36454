/** Operations per second of one thread in a matrix product through the same runtime: at best, on average, and on average per second of its processor time. */
import { createRequire } from 'node:module';

const [modelsDir] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const { InferenceSession, Tensor } = require('onnxruntime-node');
const loaded = new Map();

async function load(file) {
  return InferenceSession.create(`${modelsDir}/${file}`, { intraOpNumThreads: 1, interOpNumThreads: 1 });
}

process.on('message', async ({ id, file, precision, rows, inner, columns }) => {
  if (!loaded.has(file)) loaded.set(file, await load(file));
  const session = loaded.get(file);
  const size = rows * inner;
  const input =
    precision === 'int8'
      ? new Tensor(
          'uint8',
          Uint8Array.from({ length: size }, (_, i) => i % 251),
          [rows, inner],
        )
      : new Tensor(
          'float32',
          Float32Array.from({ length: size }, (_, i) => Math.sin(i)),
          [rows, inner],
        );
  await session.run({ input });
  let best = Number.POSITIVE_INFINITY;
  let runs = 0;
  const before = process.cpuUsage();
  const begin = performance.now();
  while (performance.now() < begin + 400) {
    const start = performance.now();
    await session.run({ input });
    best = Math.min(best, performance.now() - start);
    runs += 1;
  }
  const elapsed = performance.now() - begin;
  const { user, system } = process.cpuUsage(before);
  const operations = 2 * rows * inner * columns;
  process.send({
    id,
    best: operations / (best / 1000),
    steady: (runs * operations) / (elapsed / 1000),
    sustained: (runs * operations) / ((user + system) / 1e6),
  });
});
process.send({ ready: true });
