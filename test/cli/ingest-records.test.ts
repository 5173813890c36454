import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createInstallation, type Installation } from '../support/installation.js';
import { hasQdrant, NO_QDRANT, type QdrantServer, startQdrant } from '../support/qdrant-server.js';

// Several commands, each a process that loads everything anew.
vi.setConfig({ testTimeout: 600_000 });

const RECORDS = 600;
const KILLED_AFTER = 150;
const lines = Array.from({ length: RECORDS }, (_, number) =>
  JSON.stringify({
    id: `kettle/${number}`,
    title: `Kettle ${number}`,
    text: `Kettle ${number} holds ${number} litres.`,
  }),
);

let installation: Installation;
beforeEach(() => {
  installation = createInstallation();
});
afterEach(() => installation.remove());

const ingest = (...args: string[]) => ['ingest', 'kettles.jsonl', '--kb', 'shop', ...args];

/** Of every passage in the index, its document and its text: sorted, as a line each. */
async function exportedPassages(env: Record<string, string>): Promise<string[]> {
  const { stdout } = await installation.askbase(['export', '-'], env);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .filter((line) => line.passage !== undefined)
    .map(({ passage }) => `${passage.documentId} ${passage.text}`)
    .sort();
}

const EXPECTED = lines
  .map((line) => JSON.parse(line))
  .map(({ id, text }) => `kettles.jsonl/${encodeURIComponent(id)} ${text}`)
  .sort();

async function killAndGoOn(env: Record<string, string>): Promise<void> {
  writeFileSync(join(installation.dir, 'kettles.jsonl'), lines.join('\n'));
  const killed = installation.start(ingest('--records'), { ...env, LOG_LEVEL: 'debug' });
  await killed.writes(new RegExp(`Document ingested.*kettle%2F${KILLED_AFTER}`));
  killed.child.kill('SIGKILL');
  const { stdout, stderr } = await killed.finished;
  const acknowledged = (stdout + stderr).split('Document ingested').length - 1;
  expect(acknowledged).toBeLessThan(RECORDS);

  const goneOn = await installation.askbase(ingest('--records', '--json'), env);
  expect(goneOn).toMatchObject({ code: 0, stderr: '' });
  const { records } = JSON.parse(goneOn.stdout).results[0];
  expect(records.unchanged).toBeGreaterThanOrEqual(acknowledged);
  expect(records.added + records.unchanged).toBe(RECORDS);
  expect(await exportedPassages(env)).toEqual(EXPECTED);
}

describe('ingesting records', () => {
  it('goes on after kill -9: nothing acknowledged is lost, nothing is there twice', () => killAndGoOn({}));

  it.skipIf(!hasQdrant)('goes on after kill -9 with Qdrant too', async () => {
    const server: QdrantServer = await startQdrant();
    try {
      await killAndGoOn({ QDRANT_URL: server.url, QDRANT_COLLECTION: `records-${process.pid}` });
    } finally {
      await server.close();
    }
  });
  if (!hasQdrant) it.skip(NO_QDRANT, () => undefined);

  it('reads a file of more than 32 MB record by record, names what it cannot read, and takes the place of the whole file', async () => {
    const file = join(installation.dir, 'kettles.jsonl');
    writeFileSync(file, lines.slice(0, 3).join('\n'));
    expect((await installation.askbase(ingest())).stdout).toMatch(/^1 added.* 3 passages\n$/);

    const blank = `${' '.repeat(1024 * 1024 - 1)}\n`;
    for (let megabyte = 0; megabyte < 33; megabyte += 1) appendFileSync(file, `\n${blank}`);
    appendFileSync(file, `{"id": 1, broken\n${lines[3]}\n[1]\n{"question": "Is it safe?", "answer": "Yes."}`);
    const { code, stdout, stderr } = await installation.askbase(ingest());
    expect(stdout).toBe('5 added, 0 changed, 0 unchanged, 2 failed; 5 passages\n');
    expect(stderr).toBe(
      'kettles.jsonl, record 69: it is not valid JSON\nkettles.jsonl, record 71: it is not a JSON object\n',
    );
    expect(code).toBe(1);
    expect(await exportedPassages({})).toHaveLength(5);
  });
});
