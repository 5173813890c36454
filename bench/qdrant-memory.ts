/**
 * Memory and disk of a Qdrant collection of ours, by kind of quantisation: what the table in docs/operations.md is
 * checked against. Starts its own server (QDRANT_BIN or PATH) for each row, loads synthetic passages, waits until they
 * are indexed, starts the server again and reads what the process holds: with a third of the passages and with all, since a small
 * collection is mostly what every collection costs.
 *
 *     npm run bench:qdrant-memory -- [passages] [dimensions]
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Schemas } from '@qdrant/js-client-rest';
import { weighPassageTerms } from '../src/retrieve/lexical-weights.js';
import { deferral, definitionOf, PAYLOAD_INDEXES } from '../src/retrieve/qdrant-schema.js';
import { toPassagePoint } from '../src/retrieve/qdrant-wire.js';
import { passageOf, unit } from '../test/support/passages.js';
import { type OwnQdrantServer, startOwnQdrant } from '../test/support/qdrant-server.js';
import { seededRandom } from '../test/support/seeded-random.js';

const PASSAGES = Number(process.argv[2] ?? 50_000);
const DIMENSIONS = Number(process.argv[3] ?? 256);
const TERMS = 200;
const VOCABULARY = 50_000;
const TEXT = 'x'.repeat(1000);
const BATCH = 200;
const SOME = Math.floor(PASSAGES / 3);
const ENOUGH_GREENS = 5;

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
    const start = performance.now();
    await create(server.url, row);
    const some = await growTo(SOME, 0, server);
    const all = await growTo(PASSAGES, SOME, server);
    const perMillion = (read: (size: Size) => number): string =>
      `${(((read(all) - read(some)) / (PASSAGES - SOME)) * 1e-3).toFixed(2)} GB`;
    process.stdout.write(
      `${row.name}: a million further passages of ${DIMENSIONS} dimensions take ${perMillion(({ own }) => own)} of its own and ` +
        `${perMillion(({ mapped }) => mapped)} of mapped files in memory, ${perMillion(({ disk }) => disk)} of disk; ` +
        `${Math.round((performance.now() - start) / 1000)} s\n`,
    );
  } finally {
    await server.close();
  }
}

interface Size {
  own: number;
  mapped: number;
  disk: number;
}

/** Bytes, once all passages below `to` are there and indexed, and the server was started again. */
async function growTo(to: number, from: number, server: OwnQdrantServer): Promise<Size> {
  await load(server.url, { from, to });
  await server.restart();
  await untilGreen(server.url);
  const disk = Number(execFileSync('du', ['-sb', server.folder], { encoding: 'utf8' }).split('\t')[0]);
  return { ...memoryOf(server.pid()), disk };
}

async function create(url: string, { quantization, onDisk }: Row): Promise<void> {
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
}

async function load(url: string, { from, to }: { from: number; to: number }): Promise<void> {
  const random = seededRandom(11 + from);
  await send('PATCH', url, '/collections/memory', deferral(true));
  for (let first = from; first < to; first += BATCH) {
    const points = Array.from({ length: Math.min(BATCH, to - first) }, (_, place) => {
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
  await send('PATCH', url, '/collections/memory', deferral(false));
  await untilGreen(url);
}

/** Since a moment, so that it is not the one before it begins. */
async function untilGreen(url: string): Promise<void> {
  for (let greens = 0; greens < ENOUGH_GREENS; ) {
    const { result } = (await (await fetch(`${url}/collections/memory`)).json()) as {
      result: { status: string };
    };
    greens = result.status === 'green' ? greens + 1 : 0;
    // After a start it waits for a write before it goes on.
    if (result.status === 'grey') await send('PATCH', url, '/collections/memory', { optimizers_config: {} });
    await wait(500);
  }
}

function put(url: string, path: string, body: unknown): Promise<void> {
  return send('PUT', url, path, body);
}

async function send(method: string, url: string, path: string, body: unknown): Promise<void> {
  const request = {
    method,
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
