/** `npm run bench:index`: what docs/performance.md says of the index. Prints Markdown, and the same as a line of JSON. */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { hasQdrant, NO_QDRANT } from '../test/support/qdrant-server.js';
import { measureEmbedded } from './index-embedded.js';
import { costPlot } from './index-plot.js';
import { measureQdrant } from './index-qdrant.js';
import { embeddedTable, qdrantTable } from './index-tables.js';

const { values } = parseArgs({
  options: {
    passages: { type: 'string', default: '30000,100000' },
    questions: { type: 'string', default: '300' },
    engine: { type: 'string', multiple: true, default: ['sqlite', 'qdrant'] },
    plot: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
/** Beyond it Qdrant is what one would use, and what is measured. */
const MOST_EMBEDDED = 100_000;

const sizes = values.passages.split(',').map(Number);
const questions = Number(values.questions);
const start = performance.now();
const say = (line: string): void => {
  process.stderr.write(`${Math.round((performance.now() - start) / 1000)} s  ${line}\n`);
};

const embedded = [];
const qdrant = [];
for (const passages of sizes) {
  const isEmbedded = values.engine.includes('sqlite') && passages <= MOST_EMBEDDED;
  if (isEmbedded) embedded.push(await measureEmbedded(passages, { questions, say }));
  if (!values.engine.includes('qdrant')) continue;
  if (hasQdrant) qdrant.push(await measureQdrant(passages, { questions, say }));
  else say(NO_QDRANT);
}

const machine = {
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  node: process.version,
  loadAverage: loadavg()[0] ?? 0,
  questions,
};
if (values.plot !== undefined) writeFileSync(values.plot, costPlot({ embedded, qdrant }));
if (!values.json) {
  if (embedded.length > 0) process.stdout.write(`${embeddedTable(embedded)}\n`);
  if (qdrant.length > 0) process.stdout.write(`${qdrantTable(qdrant)}\n`);
}
process.stdout.write(`${JSON.stringify({ machine, embedded, qdrant })}\n`);
