import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createQdrantPassageIndex } from '../src/retrieve/qdrant-passage-index.js';
import { type QdrantServer, startQdrant } from '../test/support/qdrant-server.js';
import { createSyntheticCorpus, FINGERPRINT } from './index-corpus.js';
import { loadCorpus } from './index-load.js';
import { recallOf, sizeOnDisk, summarize, type Timing } from './index-measures.js';
import { findNearest, type MeasureOptions, timeHybrid, WARM_UP } from './index-search.js';

const PARALLEL = [1, 8, 32] as const;
/** Between two looks at whether the server has built its indexes. */
const POLL_MS = 500;
const ENOUGH_GREENS = 5;
const MAX_SETTLE_MS = 60 * 60_000;

export interface QdrantFigures {
  passages: number;
  parallel: Record<(typeof PARALLEL)[number], Timing>;
  ourShare: Timing;
  recall: number;
  loadRate: number;
  settleMs: number;
  bytesInMemory: number;
  /** Null for a server that is not ours. */
  bytesOnDisk: number | null;
}

export async function measureQdrant(
  passages: number,
  { questions: count, say }: MeasureOptions,
): Promise<QdrantFigures> {
  const corpus = createSyntheticCorpus();
  const questions = Array.from({ length: count }, (_, number) => corpus.questionAt(number, passages));
  const server = await startQdrant();
  const collection = `bench-${passages}-${Date.now()}`;
  const index = createQdrantPassageIndex({ urls: [server.url], collection, searchTimeout: 60_000 });
  const watch = watchServerTime();
  try {
    await index.prepare(FINGERPRINT);
    say(`Qdrant, ${passages}: loading`);
    const load = await index.load(() => loadCorpus(corpus, { passages, index, questions }));
    const settled = performance.now();
    await untilGreen(server, collection, say);
    const settleMs = performance.now() - settled;
    for (const question of questions.slice(0, WARM_UP)) await timeHybrid(index, question);

    say(`Qdrant, ${passages}: asking ${count} questions, 1, 8 and 32 at a time`);
    const totals: number[] = [];
    const shares: number[] = [];
    for (const question of questions) {
      watch.start();
      const total = await timeHybrid(index, question);
      totals.push(total);
      shares.push(total - watch.serverMs());
    }
    watch.stop();
    const parallel = { 1: summarize(totals), 8: await together(8), 32: await together(32) };
    const recall = await recallOf(load.nearest, questions, (question) => findNearest(index, question));
    return {
      passages,
      parallel,
      ourShare: summarize(shares),
      recall,
      loadRate: passages / (load.ms / 1000),
      settleMs,
      bytesInMemory: await residentBytes(server),
      bytesOnDisk: server.folder === undefined ? null : await sizeOnDisk(server.folder),
    };
  } finally {
    watch.stop();
    await index.close();
    await server.close();
  }

  async function together(atATime: number): Promise<Timing> {
    const waiting = [...questions, ...questions].values();
    const times: number[] = [];
    const worker = async (): Promise<void> => {
      for (const question of waiting) times.push(await timeHybrid(index, question));
    };
    await Promise.all(Array.from({ length: atATime }, worker));
    return summarize(times);
  }
}

/**
 * Milliseconds from sending a request to the first line of its reply, which the server writes once it has all of the
 * reply. Its own `time` would leave out reading the request and writing the passages.
 */
function watchServerTime(): { start(): void; serverMs(): number; stop(): void } {
  let sent = 0;
  let milliseconds = 0;
  const onSent = (): void => {
    sent = performance.now();
  };
  const onReply = (): void => {
    milliseconds += performance.now() - sent;
  };
  const channels = { 'undici:client:sendHeaders': onSent, 'undici:request:headers': onReply };
  for (const [channel, note] of Object.entries(channels)) subscribe(channel, note);
  return {
    start: () => {
      milliseconds = 0;
    },
    serverMs: () => milliseconds,
    stop: () => {
      for (const [channel, note] of Object.entries(channels)) unsubscribe(channel, note);
    },
  };
}

async function untilGreen(
  { url }: QdrantServer,
  collection: string,
  say: (line: string) => void,
): Promise<void> {
  const end = performance.now() + MAX_SETTLE_MS;
  let last = '';
  let greens = 0;
  while (performance.now() < end) {
    const reply = await fetch(`${url}/collections/${collection}`);
    const { result } = (await reply.json()) as {
      result: { status: string; indexed_vectors_count?: number };
    };
    // It is green for a moment before it begins.
    greens = result.status === 'green' ? greens + 1 : 0;
    if (greens === ENOUGH_GREENS) return;
    const line = `Qdrant is ${result.status}, ${result.indexed_vectors_count ?? 0} vectors indexed`;
    if (line !== last) say(line);
    last = line;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error('Qdrant did not finish its indexes.');
}

async function residentBytes({ url }: QdrantServer): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^memory_resident_bytes (\S+)$/m.exec(text)?.[1] ?? Number.NaN);
}
