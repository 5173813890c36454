import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GeneratorMethods } from './load/generator-process.js';
import { writeLoadKnowledge } from './load/load-knowledge.js';
import type { ModelMethods } from './load/model-process.js';
import type { PathMethods } from './load/path-process.js';
import type { PlainMethods } from './load/plain-ws-process.js';
import { type BenchProcess, startProcess } from './load/process-rpc.js';
import type { ServerMethods } from './load/server-process.js';
import type { Usage } from './load/usage.js';

/**
 * Measures the server under load. Server, clients and language model are processes of their own on one machine, so what
 * clients and model use is missing to the server: the figures are floors of what a machine of its own would do.
 *
 *     npm run bench:load                        all but the soak
 *     npm run bench:load -- --only=cpu,stop     some: cpu, answers, before, stop
 *     npm run bench:load -- --soak              two hours' worth of traffic in ten minutes
 *     npm run bench:load -- --answers=500 --idle=5000 --seconds=20 --json
 */
const flag = (name: string, otherwise: string): string =>
  process.argv.find((word) => word.startsWith(`--${name}=`))?.split('=')[1] ?? otherwise;
const SOAK = process.argv.includes('--soak');
const JSON_ONLY = process.argv.includes('--json');
const ANSWERS = Number(flag('answers', '500'));
const IDLE = Number(flag('idle', '5000'));
const SECONDS = Number(flag('seconds', '20'));
const QUESTIONS = Number(flag('questions', '64'));
const PASSAGES = Number(flag('passages', '10000'));
const TOKENS_PER_SECOND = 50;
const PARTS = SOAK ? ['soak'] : flag('only', 'cpu,stop,answers,before').split(',');

interface Row {
  part: string;
  what: string;
  value: number;
  unit: string;
  target?: string;
  met?: boolean;
}
const rows: Row[] = [];
const begun = performance.now();
const folder = mkdtempSync(join(tmpdir(), 'askbase-load-'));
const started: { stop(): Promise<void> }[] = [];
const say = (line: string): void => void process.stderr.write(`${line}\n`);

function add(part: string, what: string, value: number, unit: string, atMost?: number): void {
  rows.push({
    part,
    what,
    value,
    unit,
    ...(atMost === undefined ? {} : { target: `≤ ${atMost}`, met: value <= atMost }),
  });
}

async function start<M>(module: string, env: Record<string, string> = {}): Promise<BenchProcess<M>> {
  const child = await startProcess<M>(module, env);
  started.push(child);
  return child;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

const cpuBetween = (before: Usage, after: Usage): number => after.cpuMicroseconds - before.cpuMicroseconds;

/** Limits that the bench does not want to meet. */
const OPEN_LIMITS = {
  ANSWERS_AT_ONCE: '10000',
  MODEL_REQUESTS_AT_ONCE: '10000',
  REQUESTS_PER_MINUTE: '1000000',
  LIMIT_PER_SOCKET: 'questions=100000,tokens=100000000,answers=10000',
  LIMIT_PER_ADDRESS: 'questions=100000,tokens=100000000,answers=10000',
};

async function startServer(
  name: string,
  modelUrl: string,
  { passages, graceSeconds = 60 }: { passages: number; graceSeconds?: number },
) {
  const knowledgeDir = join(folder, `knowledge-${passages}`);
  writeLoadKnowledge(knowledgeDir, passages);
  const server = await start<ServerMethods>('server-process', {
    ...OPEN_LIMITS,
    PORT: '0',
    DATA_DIR: join(folder, name),
    KNOWLEDGE_DIR: knowledgeDir,
    OPENAI_BASE_URL: modelUrl,
    ANSWER_GRACE_SECONDS: String(graceSeconds),
  });
  return { server, url: await server.call('url') };
}

let marks = 0;
const mark = (): string => {
  marks += 1;
  return `m${marks}`;
};
const question = (text: string) => ({ knowledgeBase: 'load', text });

/** The streaming path against `ws` that sends each token by itself: the same tokens, the same clients. */
async function compareCpu(): Promise<void> {
  const answers = 200;
  const everyMs = 5;
  const env = { TOKENS: '500', TOKENS_PER_SECOND: String(TOKENS_PER_SECOND) };
  const generator = await start<GeneratorMethods>('generator-process');
  const measure = async (
    name: string,
    server: BenchProcess<PathMethods>,
    begin: (url: string) => Promise<void>,
  ): Promise<number> => {
    say(`cpu: ${name}`);
    await begin(await server.call('url'));
    // The first second compiles.
    await pause(2000);
    const [before, tokens] = [await server.call('usage'), await server.call('tokens')];
    await pause(6000);
    const [after, more] = [await server.call('usage'), await server.call('tokens')];
    await generator.call('finishAnswers');
    await server.stop();
    return cpuBetween(before, after) / (more - tokens);
  };
  const socketIo = (url: string) =>
    generator.call(
      'startAnswers',
      url,
      Array.from({ length: answers }, () => ({ knowledgeBase: 'shop', text: 'x' })),
      everyMs,
    );
  const plain = await measure(
    'ws, each token by itself',
    await start<PlainMethods>('plain-ws-process', env),
    (url) => generator.call('startPlain', url, answers, everyMs),
  );
  const ours = await measure(
    'runner, frames and socket.io',
    await start<PathMethods>('path-process', env),
    socketIo,
  );
  const durable = await measure(
    'the same, each frame stored first',
    await start<PathMethods>('path-process', { ...env, DURABLE: '1' }),
    socketIo,
  );
  await generator.stop();
  add('cpu', `\`ws\`, each token sent by itself, ${answers} answers`, plain, 'µs/token');
  add('cpu', 'runner, frames and socket.io', ours, 'µs/token');
  add('cpu', 'the same, each frame stored before it is shown', durable, 'µs/token');
  add('cpu', 'socket.io path over plain `ws`', ours / plain, '×', 1);
  add('cpu', 'the same with the store', durable / plain, '×');
}

/** Many answers that stream at once, beside many sockets that only stay connected. */
async function measureAnswers(): Promise<void> {
  const model = await start<ModelMethods>('model-process');
  const { server, url } = await startServer('answers', await model.call('url'), { passages: 200 });
  const generator = await start<GeneratorMethods>('generator-process');
  const empty = await server.call('usage');
  say(`answers: ${IDLE} idle sockets`);
  const idle = await generator.call('connectIdle', url, IDLE);
  await pause(1000);
  const withIdle = await server.call('usage');
  add('answers', 'idle sockets', idle, '');
  add(
    'answers',
    'memory per idle socket',
    (withIdle.residentBytes - empty.residentBytes) / idle / 1024,
    'KiB',
  );

  // All stream together for SECONDS once the last has been asked.
  const everyMs = Number(flag('every', '100'));
  const tokens = Math.round(TOKENS_PER_SECOND * (SECONDS + (ANSWERS * everyMs) / 1000 + 30));
  await model.call('setPace', { tokens, perSecond: TOKENS_PER_SECOND });
  say(`answers: ${ANSWERS} answers of ${tokens} tokens`);
  const questions = Array.from({ length: ANSWERS }, (_, index) =>
    question(`How long does the guarantee of item ${index} last?`),
  );
  await generator.call('startAnswers', url, questions, everyMs);
  // Retrieval and reranking of the last questions would hide behind the streaming of the first.
  while ((await generator.call('begun')) < ANSWERS) await pause(200);
  await server.call('usage');
  const before = await server.call('usage');
  await generator.call('measure', true);
  await pause(SECONDS * 1000);
  await generator.call('measure', false);
  const after = await server.call('usage');
  const tally = await generator.call('finishAnswers');
  const failed = Object.values(tally.failed).reduce((sum, count) => sum + count, 0);
  if (failed > 0) say(`answers: failed ${JSON.stringify(tally.failed)}`);
  add('answers', 'answers at once', ANSWERS, '');
  add('answers', 'answers that failed', failed, '', 0);
  add('answers', 'frames lost, twice or out of order', tally.broken, '', 0);
  add('answers', 'idle sockets lost', idle - (await generator.call('idleStillConnected')), '', 0);
  add('answers', 'tokens per second through the server', tally.tokens / SECONDS, '1/s');
  add('answers', 'tokens per delta', tally.tokens / tally.deltas, '');
  add(
    'answers',
    'added delay of the oldest token in a delta, p50',
    percentile(tally.oldest, 0.5) / 1000,
    'ms',
  );
  add(
    'answers',
    'added delay of the oldest token in a delta, p99',
    percentile(tally.oldest, 0.99) / 1000,
    'ms',
    50,
  );
  add(
    'answers',
    'added delay of the newest token in a delta, p99',
    percentile(tally.newest, 0.99) / 1000,
    'ms',
  );
  add('answers', 'event loop of the server late, p99', after.loop.p99, 'ms', 20);
  add('answers', 'event loop of the server late, longest', after.loop.max, 'ms');
  add('answers', 'processor time of the server', cpuBetween(before, after) / (SECONDS * 1e6), 'cores');
  add('answers', 'memory of the server', after.residentBytes / 2 ** 20, 'MiB');
  await Promise.all([server.stop(), generator.stop(), model.stop()]);
}

/** From the question on the socket to the request at the language model, against the reranker alone. */
async function measureBefore(): Promise<void> {
  const model = await start<ModelMethods>('model-process');
  await model.call('setPace', { tokens: 1, perSecond: TOKENS_PER_SECOND });
  say(`before: indexing ${PASSAGES} passages`);
  const { server, url } = await startServer('before', await model.call('url'), { passages: PASSAGES });
  const generator = await start<GeneratorMethods>('generator-process');
  for (const atOnce of [1, 8, 32]) {
    say(`before: ${atOnce} at once`);
    const asked = Array.from({ length: QUESTIONS }, () => ({ name: mark() }));
    const texts = asked.map(({ name }, index) => question(`${loadQuestion(index)} #${name}#`));
    const began = performance.now();
    const sent = await generator.call('askMany', url, texts, atOnce);
    const took = performance.now() - began;
    const milliseconds: number[] = [];
    for (const [index, { name }] of asked.entries()) {
      const seen = await model.call('seen', name);
      if (seen !== undefined) milliseconds.push((seen.at - (sent[index] as number)) / 1000);
    }
    const alone = await rerankAlone(url, atOnce);
    add(
      'before',
      `${atOnce} at once: questions that reached the model`,
      milliseconds.length,
      `of ${QUESTIONS}`,
    );
    add('before', `${atOnce} at once: before the model request, p50`, percentile(milliseconds, 0.5), 'ms');
    add('before', `${atOnce} at once: before the model request, p95`, percentile(milliseconds, 0.95), 'ms');
    add('before', `${atOnce} at once: questions`, (1000 * QUESTIONS) / took, '1/s');
    add('before', `${atOnce} at once: reranks of 50 alone`, alone, '1/s');
    add(
      'before',
      `${atOnce} at once: share of the reranker's own limit`,
      (1000 * QUESTIONS) / took / alone,
      '',
    );
  }
  await Promise.all([server.stop(), generator.stop(), model.stop()]);
}

function loadQuestion(index: number): string {
  return `How long does the guarantee of item ${index * 7} last, and who pays for case ${marks}?`;
}

/** Reranks per second of the engine by itself: 50 passages of the same index for a new question each time. */
async function rerankAlone(url: string, atOnce: number): Promise<number> {
  const post = async (path: string, body: object): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const found = (await post('/v1/search', { knowledgeBase: 'load', query: loadQuestion(0) })) as {
    candidates: { passage: { text: string } }[];
  };
  const documents = found.candidates.map(({ passage }) => passage.text).slice(0, 50);
  let left = QUESTIONS;
  const began = performance.now();
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await post('/v1/rerank', { query: `${loadQuestion(left)} ${mark()}`, documents });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return (1000 * QUESTIONS) / (performance.now() - began);
}

/** Short, so that waiting for it is; an answer under load may take longer to be followed at all. */
const GRACE_SECONDS = 1;

/** From the client's leaving to the cancelled request at the language model. */
async function measureStop(): Promise<void> {
  const model = await start<ModelMethods>('model-process');
  await model.call('setPace', { tokens: 3000, perSecond: TOKENS_PER_SECOND });
  const { server, url } = await startServer('stop', await model.call('url'), {
    passages: 200,
    graceSeconds: GRACE_SECONDS,
  });
  const generator = await start<GeneratorMethods>('generator-process');
  for (const way of ['answer-stop', 'event-stream', 'socket'] as const) {
    say(`stop: ${way}`);
    const milliseconds: number[] = [];
    for (let index = 0; index < 20; index += 1) {
      const name = mark();
      const at = await generator.call('stopOne', url, question(`${loadQuestion(index)} #${name}#`), way);
      let cancelledAt: number | undefined;
      while (cancelledAt === undefined) cancelledAt = (await model.call('seen', name))?.cancelledAt;
      milliseconds.push((cancelledAt - at) / 1000 - (way === 'socket' ? 1000 * GRACE_SECONDS : 0));
    }
    const what = {
      'answer-stop': '`answer-stop`',
      'event-stream': 'closed event stream',
      socket: 'lost socket, beyond its grace period',
    }[way];
    add('stop', `${what} to cancelled model request, p50 of 20`, percentile(milliseconds, 0.5), 'ms');
    add('stop', `${what} to cancelled model request, longest of 20`, Math.max(...milliseconds), 'ms', 200);
  }
  await Promise.all([server.stop(), generator.stop(), model.stop()]);
}

/** Two hours of questions, sockets that come and go and answers that are stopped, in ten minutes. */
async function soak(): Promise<void> {
  const minutes = Number(flag('minutes', '10'));
  const model = await start<ModelMethods>('model-process');
  await model.call('setPace', { tokens: 60, perSecond: 600 });
  const { server, url } = await startServer('soak', await model.call('url'), { passages: 1000 });
  const generator = await start<GeneratorMethods>('generator-process');
  const samples: { minute: number; heap: number; resident: number }[] = [];
  const end = performance.now() + minutes * 60_000;
  let asked = 0;
  while (performance.now() < end) {
    const texts = Array.from({ length: 20 }, () => question(`${loadQuestion(asked++)} #${mark()}#`));
    await generator.call('askMany', url, texts, 4);
    await generator.call('stopOne', url, question(loadQuestion(asked++)), 'answer-stop');
    await generator.call('stopOne', url, question(loadQuestion(asked++)), 'event-stream');
    await generator.call('connectIdle', url, 50);
    await generator.call('disconnectIdle');
    const { heapBytes, residentBytes } = await server.call('usage');
    const minute = (performance.now() - end) / 60_000 + minutes;
    samples.push({ minute, heap: heapBytes / 2 ** 20, resident: residentBytes / 2 ** 20 });
  }
  // The first fifth fills caches and compiles.
  const steady = samples.filter(({ minute }) => minute > minutes / 5);
  const slope = (read: (sample: (typeof samples)[number]) => number): number => {
    const meanX = steady.reduce((sum, { minute }) => sum + minute, 0) / steady.length;
    const meanY = steady.reduce((sum, sample) => sum + read(sample), 0) / steady.length;
    const above = steady.reduce((sum, sample) => sum + (sample.minute - meanX) * (read(sample) - meanY), 0);
    return above / steady.reduce((sum, { minute }) => sum + (minute - meanX) ** 2, 0);
  };
  add('soak', 'questions', asked, '');
  add('soak', 'heap after a collection, at the end', steady.at(-1)?.heap ?? Number.NaN, 'MiB');
  add(
    'soak',
    'heap, slope',
    slope(({ heap }) => heap),
    'MiB/min',
  );
  add('soak', 'resident memory, at the end', steady.at(-1)?.resident ?? Number.NaN, 'MiB');
  add(
    'soak',
    'resident memory, slope',
    slope(({ resident }) => resident),
    'MiB/min',
  );
  await Promise.all([server.stop(), generator.stop(), model.stop()]);
}

const runs: Record<string, () => Promise<void>> = {
  cpu: compareCpu,
  answers: measureAnswers,
  before: measureBefore,
  stop: measureStop,
  soak,
};
const load = loadavg()[0] ?? 0;
try {
  for (const part of PARTS) {
    const run = runs[part];
    if (run === undefined) throw new Error(`There is no part "${part}": ${Object.keys(runs).join(', ')}.`);
    await run();
  }
} finally {
  await Promise.all(started.map((child) => child.stop()));
  rmSync(folder, { recursive: true, force: true });
}
const seconds = Math.round((performance.now() - begun) / 1000);
if (!JSON_ONLY) {
  const lines = rows.map(({ part, what, value, unit, target, met }) => {
    const judged = target === undefined ? '' : `${target} ${met ? 'met' : 'MISSED'}`;
    return `| ${part} | ${what} | ${Number(value.toPrecision(4))} ${unit} | ${judged} |`;
  });
  const model = cpus()[0]?.model ?? 'unknown';
  process.stdout.write(
    `${cpus().length} × ${model}, Node.js ${process.versions.node}, load average ${load.toFixed(1)} at the start, ${seconds} s\n\n` +
      `| part | what | figure | target |\n| --- | --- | --- | --- |\n${lines.join('\n')}\n\n`,
  );
}
const commit = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
process.stdout.write(
  `${JSON.stringify({ version: (JSON.parse(commit) as { version: string }).version, seconds, load, rows })}\n`,
);
