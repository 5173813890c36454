import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInferenceEngine, type InferenceEngine } from '../src/inference/inference-engine.js';
import type { SchedulerCounts } from '../src/inference/run-scheduler.js';
import { createTextTokenizer } from '../src/inference/tokenizer/text-tokenizer.js';
import { silentLogger } from '../test/support/silent-logger.js';
import { usefulOperations, writeBenchModels } from './bench-model.js';
import { readBenchTexts } from './bench-texts.js';
import { MATRIX_SHAPES, writeMatrixModel } from './matrix-model.js';
import { type Peer, startPeer } from './peer.js';

/**
 * Measures reranking against its peers and against the machine. Everything that is compared runs in turn within each
 * round, so that what else the machine does meets all alike; ratios are medians over the rounds.
 */
const ROUNDS = Number(process.argv.find((word) => word.startsWith('--rounds='))?.split('=')[1] ?? 5);
const SHAPES = Number(process.argv.find((word) => word.startsWith('--shapes='))?.split('=')[1] ?? 10_000);
const JSON_ONLY = process.argv.includes('--json');
const PRECISIONS = ['fp32', 'int8'] as const;
type Precision = (typeof PRECISIONS)[number];
const FILES = { fp32: 'model.onnx', int8: 'model_quantized.onnx' } as const;
const DTYPES = { fp32: 'fp32', int8: 'q8' } as const;

interface Row {
  what: string;
  value: number;
  unit: string;
  target?: string;
  met?: boolean;
}

const { signal } = new AbortController();
const modelsDir = mkdtempSync(join(tmpdir(), 'askbase-bench-'));
const texts = readBenchTexts();
const cores = availableParallelism();
const rows: Row[] = [];
const add = (what: string, value: number, unit: string, atLeast?: number, atMost?: number): void => {
  rows.push({
    what,
    value,
    unit,
    ...(atLeast === undefined ? {} : { target: `≥ ${atLeast}`, met: value >= atLeast }),
    ...(atMost === undefined ? {} : { target: `≤ ${atMost}`, met: value <= atMost }),
  });
};
const say = (line: string): void => {
  if (!JSON_ONLY) process.stderr.write(`${line}\n`);
};

/** Another question each time, so that no score is remembered. */
let asked = 0;
function freshQuestion(): string {
  asked += 1;
  return `${texts.questions[asked % texts.questions.length]} ${asked}`;
}

/** Other passages of the same length, so that no ids are remembered. */
function freshPassages(): string[] {
  asked += 1;
  return texts.passages.map((passage, index) => `${(asked * 101 + index) % 10_000} ${passage}`);
}

async function timeOurs(
  engine: InferenceEngine,
  precision: Precision,
  passages: string[],
  question = freshQuestion(),
) {
  const start = performance.now();
  const scores = await engine.rerank(`minilm-${precision}`, question, passages, { signal });
  return { milliseconds: performance.now() - start, logits: scores.map(({ logit }) => logit) };
}

async function counts(
  engine: InferenceEngine,
): Promise<SchedulerCounts & { tokenizeMilliseconds: number; rss: number }> {
  const { process: inner } = await engine.snapshot();
  if (inner === null) throw new Error('The inference process does not answer.');
  const { tokenizeMilliseconds, residentBytes: rss } = inner;
  return { ...(inner.pools.cpu as SchedulerCounts), tokenizeMilliseconds, rss };
}

/** Processor time that the inference process has used so far, all threads together; Linux counts it in ticks of 10 ms. */
function processorMilliseconds(engine: InferenceEngine): number {
  const fields = readFileSync(`/proc/${engine.pid()}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

function start(models: readonly Precision[]): Promise<InferenceEngine> {
  return createInferenceEngine({
    modelsDir,
    models: models.map((precision) => ({ name: `minilm-${precision}`, kind: 'reranker', device: 'cpu' })),
    logger: silentLogger,
  });
}

async function compareSpeed(): Promise<void> {
  const engine = await start(PRECISIONS);
  await engine.loaded();
  const transformers = await startPeer('transformers-js', modelsDir);
  const batches = await startPeer('first-come-batches', modelsDir);
  const matrices = await Promise.all(
    Array.from({ length: cores }, () => startPeer('matrix-product', modelsDir)),
  );
  const tokenizer = createTextTokenizer(
    JSON.parse(readFileSync(join(modelsDir, 'minilm-fp32/tokenizer.json'), 'utf8')),
  );
  const times = new Map<string, number[]>();
  const note = (name: string, value: number): void =>
    void times.set(name, [...(times.get(name) ?? []), value]);

  for (let round = 0; round <= ROUNDS; round += 1) {
    say(round === 0 ? 'warming up' : `round ${round} of ${ROUNDS}`);
    // The first round warms everybody up and counts for nothing.
    const keep = (name: string, value: number): void => (round === 0 ? undefined : note(name, value));
    for (const precision of PRECISIONS) {
      const question = freshQuestion();
      const passages = freshPassages();
      const limit = await measureProduct(matrices, precision);
      const before = await counts(engine);
      const processorBefore = processorMilliseconds(engine);
      const ours = await timeOurs(engine, precision, passages, question);
      const processorSeconds = (processorMilliseconds(engine) - processorBefore) / 1000;
      const after = await counts(engine);
      await timeOurs(engine, precision, passages);
      const afterCached = await counts(engine);
      const again = await timeOurs(engine, precision, passages, question);
      const theirs = await transformers.ask<{ milliseconds: number; logits: number[] }>({
        name: `minilm-${precision}`,
        dtype: DTYPES[precision],
        question,
        passages,
        times: 1,
      });
      const plain = await batches.ask<{ milliseconds: number }>({
        name: `minilm-${precision}`,
        file: FILES[precision],
        question,
        passages,
      });
      const questionTokens = tokenizer.encode(question).length;
      const operations = passages.reduce(
        (sum, passage) =>
          sum + usefulOperations(Math.min(512, tokenizer.encode(passage).length + questionTokens + 3)),
        0,
      );
      keep(`${precision} ours`, ours.milliseconds);
      keep(`${precision} transformers.js`, theirs.milliseconds);
      keep(`${precision} batches`, plain.milliseconds);
      keep(`${precision} against transformers.js`, theirs.milliseconds / ours.milliseconds);
      keep(`${precision} against batches`, plain.milliseconds / ours.milliseconds);
      keep(`${precision} limit`, limit.best / 1e9);
      keep(`${precision} sustained`, limit.sustained / 1e9);
      keep(`${precision} of limit`, operations / (ours.milliseconds / 1000) / (cores * limit.best));
      keep(`${precision} together of limit`, limit.together / (cores * limit.best));
      keep(`${precision} of together`, operations / (ours.milliseconds / 1000) / limit.together);
      keep(`${precision} of limit by processor time`, operations / processorSeconds / limit.sustained);
      keep(
        `${precision} padding`,
        (after.computedTokens - before.computedTokens) / (after.realTokens - before.realTokens),
      );
      keep(`${precision} preparing new`, preparing(before, after));
      keep(`${precision} preparing cached`, preparing(after, afterCached));
      keep(`${precision} repeated`, ours.milliseconds / again.milliseconds);
      keep(
        `${precision} difference`,
        Math.max(...ours.logits.map((logit, i) => Math.abs(logit - (theirs.logits[i] as number)))),
      );
    }
  }
  const of = (name: string): number => median(times.get(name) ?? []);
  for (const precision of PRECISIONS) {
    add(`${precision}: 100 pairs`, of(`${precision} ours`), 'ms');
    add(
      `${precision}: transformers.js, same file, one padded batch`,
      of(`${precision} transformers.js`),
      'ms',
    );
    add(`${precision}: first-come batches of 8, same file`, of(`${precision} batches`), 'ms');
  }
  add('fp32 against transformers.js', of('fp32 against transformers.js'), '×', 6);
  const fullTimes = times.get('fp32 transformers.js') ?? [];
  const intTimes = times.get('int8 ours') ?? [];
  add(
    'int8 against transformers.js in fp32',
    median(fullTimes.map((time, i) => time / (intTimes[i] as number))),
    '×',
    10,
  );
  add('int8 against transformers.js in int8', of('int8 against transformers.js'), '×');
  for (const precision of PRECISIONS) {
    add(`${precision} against first-come batches of 8`, of(`${precision} against batches`), '×', 2.5);
  }
  for (const precision of PRECISIONS) {
    add(`${precision}: one thread's best matrix product`, of(`${precision} limit`), 'Gop/s');
    add(
      `${precision}: useful operations over ${cores} × that`,
      of(`${precision} of limit`),
      '',
      precision === 'fp32' ? 0.85 : 0.5,
    );
    add(
      `${precision}: the product in ${cores} processes at once over ${cores} × that`,
      of(`${precision} together of limit`),
      '',
    );
    add(`${precision}: useful operations over what those reach`, of(`${precision} of together`), '');
    add(`${precision}: matrix product, per second of processor time`, of(`${precision} sustained`), 'Gop/s');
    add(
      `${precision}: useful operations over that, both per second of processor time`,
      of(`${precision} of limit by processor time`),
      '',
    );
  }
  for (const precision of PRECISIONS) {
    add(`${precision}: computed over real tokens`, of(`${precision} padding`), '', undefined, 1.05);
    add(
      `${precision}: tokenising and tensors, cached passages`,
      of(`${precision} preparing cached`),
      '%',
      undefined,
      2,
    );
    add(
      `${precision}: tokenising and tensors, new passages`,
      of(`${precision} preparing new`),
      '%',
      undefined,
      10,
    );
    add(`${precision}: a repeated question`, of(`${precision} repeated`), '×', 100);
    add(`${precision}: largest difference to transformers.js`, of(`${precision} difference`), 'logit');
  }
  await measureEventLoop(engine, transformers);
  for (const peer of [transformers, batches, ...matrices]) peer.close();
  await engine.close();
}

interface ProductSpeed {
  /** Operations per second of the fastest run. */
  best: number;
  /** Operations per second over all runs, pauses that the machine made included. */
  steady: number;
  /** Operations per second of processor time over all runs: what else the machine does shows here as well. */
  sustained: number;
}

interface MachineSpeed extends Pick<ProductSpeed, 'best' | 'sustained'> {
  /** Operations per second of one process per core, all at once: cores that share a clock or a cache reach less than each alone. */
  together: number;
}

async function measureProduct(matrices: readonly Peer[], precision: Precision): Promise<MachineSpeed> {
  const alone: ProductSpeed[] = [];
  const together: number[] = [];
  for (const shape of MATRIX_SHAPES) {
    const file = `matrix/${precision}-${shape.inner}-${shape.columns}.onnx`;
    writeMatrixModel(join(modelsDir, file), { precision, ...shape });
    const ask = (peer: Peer): Promise<ProductSpeed> => peer.ask({ file, precision, ...shape });
    alone.push(await ask(matrices[0] as Peer));
    const speeds = await Promise.all(matrices.map(ask));
    together.push(speeds.reduce((sum, { steady }) => sum + steady, 0));
  }
  return {
    best: Math.max(...alone.map(({ best }) => best)),
    sustained: Math.max(...alone.map(({ sustained }) => sustained)),
    together: Math.max(...together),
  };
}

type Counts = Awaited<ReturnType<typeof counts>>;

/** Percent of the processor time that went into ids and tensors. */
function preparing(before: Counts, after: Counts): number {
  const tokenizing = after.tokenizeMilliseconds - before.tokenizeMilliseconds;
  const tensors = after.tensorMilliseconds - before.tensorMilliseconds;
  const running = after.runMilliseconds - before.runMilliseconds;
  return (100 * (tokenizing + tensors)) / (tokenizing + running);
}

/** This process stands for the server: how late its timers are while two requests of 100 are reranked. */
async function measureEventLoop(engine: InferenceEngine, transformers: Peer): Promise<void> {
  say('event loop');
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const passages = freshPassages();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    // Its first tick only starts the clock.
    await new Promise((resolve) => setTimeout(resolve, 20));
    await Promise.all([timeOurs(engine, 'fp32', passages), timeOurs(engine, 'fp32', freshPassages())]);
    delay.disable();
    ours.push(delay.percentile(99) / 1e6);
    const question = freshQuestion();
    const request = { name: 'minilm-fp32', dtype: DTYPES.fp32, question, passages, times: 2 };
    const reply = await transformers.ask<{ eventLoop: { max: number } }>(request);
    theirs.push(reply.eventLoop.max);
  }
  add('event-loop delay of the server during two reranks of 100, p99', median(ours), 'ms', undefined, 5);
  add('the same in a server that calls transformers.js, longest', median(theirs), 'ms');
}

async function measureMemory(): Promise<void> {
  for (const precision of PRECISIONS) {
    say(`memory, ${precision}`);
    const engine = await start([precision]);
    await engine.loaded();
    const loaded = (await counts(engine)).rss;
    for (let i = 0; i < 5; i += 1) await timeOurs(engine, precision, freshPassages());
    const peak = peakBytes(engine.pid() as number);
    add(`${precision}: memory after loading`, loaded / 1e6, 'MB');
    add(`${precision}: peak while reranking 100 over that`, peak / loaded, '', undefined, 1.3);
    if (precision === 'int8') await measureGrowth(engine, precision);
    await engine.close();
  }
}

/** One to three passages each time, of any length, out of a thousand: as many as a small knowledge base has. */
async function measureGrowth(engine: InferenceEngine, precision: Precision): Promise<void> {
  const long = texts.passages.join(' ');
  const pool = Array.from({ length: 1000 }, (_, index) => {
    const begin = (index * 7919) % (long.length - 400);
    return long.slice(begin, begin + 5 + ((index * 31) % 250));
  });
  const rss: number[] = [];
  for (let i = 1; i <= SHAPES; i += 1) {
    const passages = Array.from(
      { length: 1 + (i % 3) },
      (_, at) => pool[(i * 3 + at) % pool.length] as string,
    );
    await timeOurs(engine, precision, passages);
    if (i % (SHAPES / 10) === 0) {
      rss.push((await counts(engine)).rss);
      say(`${i} reranks: ${Math.round((rss.at(-1) as number) / 1e6)} MB`);
    }
  }
  const growth = (100 * ((rss.at(-1) as number) - (rss[0] as number))) / (rss[0] as number);
  add(`memory from rerank ${SHAPES / 10} to ${SHAPES} of random shapes`, growth, '% growth', undefined, 5);
}

/** Linux keeps the high-water mark of a process' resident memory. */
function peakBytes(pid: number): number {
  const [, kilobytes] = readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmHWM:\s+(\d+) kB/) ?? [];
  return Number(kilobytes) * 1024;
}

function print(): void {
  const machine = {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores,
    node: process.version,
    loadAverage: loadavg()[0] ?? 0,
    texts: texts.source,
    rounds: ROUNDS,
    graphics: 'none at hand: no number for WebGPU or CUDA',
  };
  if (!JSON_ONLY) {
    const width = Math.max(...rows.map(({ what }) => what.length));
    for (const { what, value, unit, target, met } of rows) {
      const shown = `${value.toPrecision(4)} ${unit}`.padEnd(16);
      const judged = target === undefined ? '' : `${target} ${met ? 'met' : 'MISSED'}`;
      process.stdout.write(`${what.padEnd(width)}  ${shown} ${judged}\n`);
    }
  }
  process.stdout.write(`${JSON.stringify({ machine, rows })}\n`);
}

try {
  say('writing the models');
  await writeBenchModels(modelsDir);
  await compareSpeed();
  if (SHAPES > 0) await measureMemory();
  print();
} finally {
  rmSync(modelsDir, { recursive: true });
}
