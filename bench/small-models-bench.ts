import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createInferenceEngine } from '../src/inference/inference-engine.js';
import { importModel } from '../src/inference/model-import.js';
import { createTextTokenizer } from '../src/inference/tokenizer/text-tokenizer.js';
import { silentLogger } from '../test/support/silent-logger.js';
import { TINY_RERANKER, tinyVocabularySize, writeTinyModels } from '../test/support/tiny-models.js';
import { writeTransformer } from '../test/support/transformer-model.js';
import { readBenchTexts } from './bench-texts.js';

/**
 * What the bundled reranker costs: 50 passages of 200 tokens, through the product's engine, in turn with a model of
 * BGE-reranker-base's shape (pseudo-random weights in fp32: only the arithmetic is timed).
 */
const ROUNDS = 7;
const PASSAGES = 50;
const TOKENS = 200;
const SMALL = 'askbase-rerank-small';
const LARGE = 'bge-reranker-base-shape';
const LARGE_SHAPE = { layers: 12, hidden: 768, heads: 12, intermediate: 3072, maxPositions: 512 } as const;

const modelsDir = mkdtempSync(join(tmpdir(), 'askbase-bench-'));
const { signal } = new AbortController();
const texts = readBenchTexts();

async function writeModels(): Promise<void> {
  cpSync(fileURLToPath(new URL(`../models/${SMALL}`, import.meta.url)), join(modelsDir, SMALL), {
    recursive: true,
  });
  writeTinyModels(join(modelsDir, 'scratch'));
  const dir = join(modelsDir, LARGE);
  mkdirSync(dir);
  cpSync(join(modelsDir, 'scratch', TINY_RERANKER, 'tokenizer.json'), join(dir, 'tokenizer.json'));
  const config = {
    architectures: ['BertForSequenceClassification'],
    model_type: 'bert',
    hidden_size: LARGE_SHAPE.hidden,
    max_position_embeddings: LARGE_SHAPE.maxPositions,
    id2label: { 0: 'LABEL_0' },
  };
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config));
  const model = writeTransformer({
    kind: 'bert',
    task: 'reranker',
    precision: 'fp32',
    ...LARGE_SHAPE,
    vocabularySize: tinyVocabularySize(),
  });
  writeFileSync(join(dir, 'model.onnx'), model);
  await importModel(dir, { name: LARGE, license: 'MIT', source: 'pseudo-random weights' });
}

/** Passages of exactly as many tokens as asked for, counted by the model's own tokeniser; new ones each round. */
function passagesFor(name: string): (round: number) => string[] {
  const tokenizer = createTextTokenizer(
    JSON.parse(readFileSync(join(modelsDir, name, 'tokenizer.json'), 'utf8')),
  );
  const cut = (text: string): string => {
    let [low, high] = [1, text.length];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (tokenizer.encode(text.slice(0, middle)).length <= TOKENS) low = middle;
      else high = middle - 1;
    }
    return text.slice(0, low);
  };
  return (round) =>
    Array.from({ length: PASSAGES }, (_, at) => {
      const others = Array.from({ length: 8 }, (_, step) => texts.passages[(at + step * 7) % 100]);
      return cut(`${round * PASSAGES + at} ${others.join(' ')}`);
    });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

async function measure(): Promise<Record<string, number[]>> {
  const engine = await createInferenceEngine({
    modelsDir,
    models: [SMALL, LARGE].map((name) => ({ name, kind: 'reranker', device: 'cpu' })),
    logger: silentLogger,
  });
  const contestants = [SMALL, LARGE].map((name) => ({ name, passages: passagesFor(name) }));
  const times: Record<string, number[]> = { [SMALL]: [], [LARGE]: [] };
  try {
    await engine.loaded();
    // Round 0 warms both up and counts for nothing.
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const { name, passages } of contestants) {
        const candidates = passages(round);
        const start = performance.now();
        await engine.rerank(name, `${texts.questions[round % 2]} ${round}`, candidates, { signal });
        if (round > 0) times[name]?.push(performance.now() - start);
      }
    }
  } finally {
    await engine.close();
  }
  return times;
}

try {
  await writeModels();
  const times = await measure();
  const [small, large] = [times[SMALL] ?? [], times[LARGE] ?? []];
  const ratio = median(large.map((time, round) => time / (small[round] as number)));
  const report = {
    processor: cpus()[0]?.model.trim(),
    cores: availableParallelism(),
    loadAverage: loadavg()[0],
    rounds: ROUNDS,
    smallMilliseconds: Math.round(median(small)),
    largeMilliseconds: Math.round(median(large)),
    ratio: Number(ratio.toFixed(1)),
  };
  process.stdout.write(
    `${SMALL}: ${PASSAGES} passages of ${TOKENS} tokens: ${report.smallMilliseconds} ms (wanted ≤ 250)\n` +
      `${LARGE}: ${report.largeMilliseconds} ms; ratio ${report.ratio} (wanted ≥ 40)\n${JSON.stringify(report)}\n`,
  );
} finally {
  rmSync(modelsDir, { recursive: true });
}
