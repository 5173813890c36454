import type { EmbeddedFigures } from './index-embedded.js';
import type { Timing } from './index-measures.js';
import type { QdrantFigures } from './index-qdrant.js';

/** Rows of a Markdown table: the first cell says what, each further one is of a size of index. */
type Row<F> = [what: string, cell: (figures: F) => string];

const times = ({ p50, p95, p99 }: Timing): string => [p50, p95, p99].map((ms) => ms.toFixed(1)).join(' / ');
const ratio = (a: number, b: number): string => `${(a / b).toFixed(2)} ×`;
const rate = (value: number): string => Math.round(value).toLocaleString('en');
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`;
const judged = (text: string, met: boolean): string => `${text} ${met ? 'met' : 'MISSED'}`;

export function embeddedTable(figures: readonly EmbeddedFigures[]): string {
  return table(figures, [
    ['hybrid, ms p50 / p95 / p99', ({ ours }) => times(ours)],
    ['LanceDB, no vector index', ({ lance }) => times(lance)],
    ['LanceDB, its default vector index', ({ lanceIvf }) => times(lanceIvf)],
    [
      'p95 against LanceDB without vector index, ≤ 1',
      ({ ours, lance }) => judged(ratio(ours.p95, lance.p95), ours.p95 <= lance.p95),
    ],
    [
      'p95 against LanceDB with vector index, ≤ 1',
      ({ ours, lanceIvf }) => judged(ratio(ours.p95, lanceIvf.p95), ours.p95 <= lanceIvf.p95),
    ],
    ['filtered (half of the passages), ms', ({ oursFiltered }) => times(oursFiltered)],
    [
      'filtered against unfiltered p95, ≤ 2',
      ({ ours, oursFiltered }) => judged(ratio(oursFiltered.p95, ours.p95), oursFiltered.p95 <= 2 * ours.p95),
    ],
    ['LanceDB filtered, ms', ({ lanceFiltered }) => times(lanceFiltered)],
    ['recall@10 of the dense branch, ≥ 0.98', ({ recall }) => judged(recall.toFixed(3), recall >= 0.98)],
    ['LanceDB, its default vector index', ({ lanceIvfRecall }) => lanceIvfRecall.toFixed(3)],
    ['passages written a second', ({ writeRate }) => rate(writeRate)],
    ['LanceDB, words indexed', ({ lanceWriteRate }) => rate(lanceWriteRate)],
    ['on disk', ({ bytesOnDisk }) => megabytes(bytesOnDisk)],
    ['LanceDB on disk', ({ lanceBytesOnDisk }) => megabytes(lanceBytesOnDisk)],
    ['in memory', ({ bytesInMemory }) => megabytes(bytesInMemory)],
    ['bytes in memory a passage', ({ bytesInMemory, passages }) => rate(bytesInMemory / passages)],
    ['to open', ({ openMs }) => `${(openMs / 1000).toFixed(1)} s`],
  ]);
}

export function qdrantTable(figures: readonly QdrantFigures[]): string {
  return table(figures, [
    ['hybrid, 1 at a time, ms p50 / p95 / p99', ({ parallel }) => times(parallel[1])],
    ['hybrid, 8 at a time', ({ parallel }) => times(parallel[8])],
    ['hybrid, 32 at a time', ({ parallel }) => times(parallel[32])],
    ['our share (all but the server’s own time), 1 at a time', ({ ourShare }) => times(ourShare)],
    ['our share p95, ≤ 2 ms', ({ ourShare }) => judged(`${ourShare.p95.toFixed(1)} ms`, ourShare.p95 <= 2)],
    ['recall@10 of the dense branch, ≥ 0.98', ({ recall }) => judged(recall.toFixed(3), recall >= 0.98)],
    ['passages loaded a second', ({ loadRate }) => rate(loadRate)],
    ['until indexed', ({ settleMs }) => `${(settleMs / 1000).toFixed(0)} s more`],
    ['memory of the server', ({ bytesInMemory }) => megabytes(bytesInMemory)],
    ['memory per 100,000', ({ bytesInMemory, passages }) => megabytes((bytesInMemory / passages) * 1e5)],
    ['on disk', ({ bytesOnDisk }) => (bytesOnDisk === null ? 'not ours to see' : megabytes(bytesOnDisk))],
  ]);
}

function table<F extends { passages: number }>(figures: readonly F[], rows: readonly Row<F>[]): string {
  const head = ['', ...figures.map(({ passages }) => `${passages.toLocaleString('en')} passages`)];
  const lines = [head, head.map(() => '---'), ...rows.map(([what, cell]) => [what, ...figures.map(cell)])];
  return `${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}
