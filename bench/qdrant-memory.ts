/**
 * Memory and disk of a Qdrant collection of ours, by kind of quantisation: what the table in docs/operations.md is
 * checked against. Starts its own server (QDRANT_BIN or PATH) for each row, loads synthetic passages, waits until they
 * are indexed, starts the server again and reads what the process holds.
 *
 *     npm run bench:qdrant-memory -- [passages] [dimensions]
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Schemas } from '@qdrant/js-client-rest';
import { weighPassageTerms } from '../src/retrieve/lexical-weights.js';
import { definitionOf, PAYLOAD_INDEXES } from '../src/retrieve/qdrant-schema.js';
import { toPassagePoint } from '../src/retrieve/qdrant-wire.js';
import { passageOf, unit } from '../test/support/passages.js';
import { startOwnQdrant } from '../test/support/qdrant-server.js';
import { seededRandom } from '../test/support/seeded-random.js';

const PASSAGES = Number(process.argv[2] ?? 50_000);
const DIMENSIONS = Number(process.argv[3] ?? 256);
const TERMS = 200;
const VOCABULARY = 50_000;
const TEXT = 'x'.repeat(1000);
const BATCH = 200;

interface Row {
  name: string;
  quantization: Schemas['QuantizationConfig'] | null;
  onDisk: boolean;
}

const ROWS: Row[] = [
  { name: 'none, originals in memory', quantization: null, onDisk: false },
  {
    name: 'int8, originals in memory',
    quantization: { scalar: { type: 'int8', always_ram: true } },
    onDisk: false,
  },
  {
    name: 'int8, originals on disk',
    quantization: { scalar: { type: 'int8', always_ram: true } },
    onDisk: true,
  },
  { name: 'binary, originals on disk', quantization: { binary: { always_ram: true } }, onDisk: true },
];

for (const row of ROWS) {
  const server = await startOwnQdrant();
  try {
    const before = memoryOf(server.pid());
    const seconds = await load(server.url, row);
    await server.restart();
    await untilGreen(server.url);
    const after = memoryOf(server.pid());
    const perMillion = (bytes: number): string => `${(((bytes / PASSAGES) * 1e6) / 1e9).toFixed(2)} GB`;
    const disk = Number(execFileSync('du', ['-sb', server.folder], { encoding: 'utf8' }).split('\t')[0]);
    process.stdout.write(
      `${row.name}: a million passages of ${DIMENSIONS} dimensions take ${perMillion(after.own - before.own)} of its own and ` +
        `${perMillion(after.mapped - before.mapped)} of mapped files in memory, ${perMillion(disk)} of disk; ` +
        `loaded and indexed in ${seconds.toFixed(0)} s\n`,
    );
  } finally {
    await server.close();
  }
}

async function load(url: string, { quantization, onDisk }: Row): Promise<number> {
  const start = performance.now();
  const definition = definitionOf(
    { embedder: 'synthetic', dimensions: DIMENSIONS, analyzer: 'synthetic' },
    {},
  );
  const dense = (definition.vectors as Record<string, Schemas['VectorParams']>)
    .dense as Schemas['VectorParams'];
  await put(url, '/collections/memory', {
    ...definition,
    vectors: { dense: { ...dense, quantization_config: quantization, on_disk: onDisk } },
  });
  for (const [field_name, field_schema] of Object.entries(PAYLOAD_INDEXES)) {
    await put(url, '/collections/memory/index?wait=true', { field_name, field_schema });
  }
  const random = seededRandom(11);
  for (let first = 0; first < PASSAGES; first += BATCH) {
    const points = Array.from({ length: Math.min(BATCH, PASSAGES - first) }, (_, place) => {
      const number = first + place;
      const passage = passageOf('kb', {
        documentId: `${number >> 3}.md`,
        text: `${number} ${TEXT}`,
        tags: ['tag'],
      });
      // Squared: some terms are common, most are rare, as in a language.
      const terms = Array.from({ length: TERMS }, () => `t${Math.floor(random() ** 2 * VOCABULARY)}`);
      const vector = unit(Array.from({ length: DIMENSIONS }, () => random() * 2 - 1));
      return toPassagePoint({ passage, vector, terms: weighPassageTerms('kb', terms) });
    });
    await put(url, '/collections/memory/points?wait=true', { points });
  }
  await untilGreen(url);
  return (performance.now() - start) / 1000;
}

async function untilGreen(url: string): Promise<void> {
  for (;;) {
    const { result } = (await (await fetch(`${url}/collections/memory`)).json()) as {
      result: { status: string };
    };
    if (result.status === 'green') return;
    await wait(500);
  }
}

async function put(url: string, path: string, body: unknown): Promise<void> {
  const request = {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  // The server may have closed the connection while the next batch was being made.
  const reply = await fetch(`${url}${path}`, request).catch(() => fetch(`${url}${path}`, request));
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
}

/** Bytes: what the process allocated, and the parts of its files that are in memory (the page cache may drop those). */
function memoryOf(pid: number): { own: number; mapped: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return { own: kilobytes('RssAnon') * 1024, mapped: kilobytes('RssFile') * 1024 };
}
