import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childEntry } from '../src/child-entry.js';
import type { PassageFilter } from '../src/retrieve/passage-index.js';
import { createSqlitePassageIndex } from '../src/retrieve/sqlite-passage-index.js';
import { createSyntheticCorpus, FINGERPRINT, type SyntheticQuestion } from './index-corpus.js';
import { loadCorpus } from './index-load.js';
import { recallOf, sizeOnDisk, summarize, type Timing } from './index-measures.js';
import { startLance } from './index-peer.js';
import { findNearest, LIMIT, type MeasureOptions, timeHybrid, WARM_UP } from './index-search.js';

const FILTER: PassageFilter = { language: 'zh' };

export interface EmbeddedFigures {
  passages: number;
  ours: Timing;
  oursFiltered: Timing;
  lance: Timing;
  lanceFiltered: Timing;
  lanceIvf: Timing;
  /** Shares of the ten nearest by exact comparison of all vectors. */
  recall: number;
  lanceIvfRecall: number;
  /** Passages a second. */
  writeRate: number;
  lanceWriteRate: number;
  bytesOnDisk: number;
  lanceBytesOnDisk: number;
  bytesInMemory: number;
  openMs: number;
}

/** Ours and LanceDB side by side: every question is asked of each in turn, so that whatever slows one slows the other. */
export async function measureEmbedded(
  passages: number,
  { questions: count, say }: MeasureOptions,
): Promise<EmbeddedFigures> {
  const corpus = createSyntheticCorpus();
  const questions = Array.from({ length: count }, (_, number) => corpus.questionAt(number, passages));
  const dir = await mkdtemp(join(tmpdir(), 'askbase-bench-'));
  const file = join(dir, 'ours', 'index.db');
  const index = await createSqlitePassageIndex({ file });
  const lance = await startLance(join(dir, 'lance'));
  try {
    await index.prepare(FINGERPRINT);
    say(`${passages}: writing`);
    const load = await index.load(() => loadCorpus(corpus, { passages, index, peer: lance, questions }));
    say(`${passages}: LanceDB indexes words`);
    const indexMs = await lance.indexWords();
    if ((await index.isReady()) !== null) throw new Error('not ready');

    const theirs = (question: SyntheticQuestion, where?: string): Promise<number> =>
      lance.hybrid(question, { limit: LIMIT, ...(where === undefined ? {} : { where }) });
    say(`${passages}: asking ${count} questions`);
    const rounds = await askInTurn(questions, [
      (question) => timeHybrid(index, question),
      (question) => timeHybrid(index, question, FILTER),
      (question) => theirs(question),
      (question) => theirs(question, `language = '${FILTER.language}'`),
    ]);
    const recall = await recallOf(load.nearest, questions, (question) => findNearest(index, question));
    const lanceBytesOnDisk = await sizeOnDisk(join(dir, 'lance'));
    say(`${passages}: LanceDB indexes vectors`);
    await lance.indexVectors();
    const [lanceIvf = []] = await askInTurn(questions, [(question) => theirs(question)]);
    const lanceIvfRecall = await recallOf(load.nearest, questions, ({ vector }) => lance.dense(vector, 10));
    await index.close();
    const { bytes, ms } = await reopen(file);
    return {
      passages,
      ours: summarize(rounds[0]),
      oursFiltered: summarize(rounds[1]),
      lance: summarize(rounds[2]),
      lanceFiltered: summarize(rounds[3]),
      lanceIvf: summarize(lanceIvf),
      recall,
      lanceIvfRecall,
      writeRate: passages / (load.ms / 1000),
      lanceWriteRate: passages / ((load.peerMs + indexMs) / 1000),
      bytesOnDisk: await sizeOnDisk(join(dir, 'ours')),
      lanceBytesOnDisk,
      bytesInMemory: bytes,
      openMs: ms,
    };
  } finally {
    lance.close();
    await rm(dir, { recursive: true });
  }
}

/** Milliseconds by contestant. */
async function askInTurn(
  questions: readonly SyntheticQuestion[],
  contestants: readonly ((question: SyntheticQuestion) => Promise<number>)[],
): Promise<number[][]> {
  const times: number[][] = contestants.map(() => []);
  const first = questions.slice(0, WARM_UP);
  for (const [number, question] of [...first, ...questions].entries()) {
    for (const [at, contestant] of contestants.entries()) {
      const ms = await contestant(question);
      if (number >= first.length) times[at]?.push(ms);
    }
  }
  return times;
}

async function reopen(file: string): Promise<{ ms: number; bytes: number }> {
  const { path, execArgv } = childEntry(import.meta.url, './index-memory-child');
  const child = fork(path, [file], { execArgv });
  const [reply] = (await once(child, 'message')) as [{ ms: number; bytes: number }];
  await once(child, 'exit');
  return reply;
}
