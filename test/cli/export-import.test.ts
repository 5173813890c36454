import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { SAMPLE_KNOWLEDGE } from '../support/app.js';
import type { FinishedCommand } from '../support/command.js';
import { createInstallation, type Installation } from '../support/installation.js';

// Ten commands, each a process that loads everything anew.
vi.setConfig({ testTimeout: 600_000 });

let installation: Installation;
let dir: string;
beforeAll(() => {
  installation = createInstallation({
    'shop/en/returns.md': SAMPLE_KNOWLEDGE['shop/en/returns.md'] ?? '',
  });
  dir = installation.dir;
});
afterAll(() => installation.remove());

const askbase = (dataDir: string, ...args: string[]): Promise<FinishedCommand> =>
  installation.askbase(args, { DATA_DIR: join(dir, dataDir) });

it('moves an index from one folder to another by export and import', async () => {
  await askbase('one', 'ingest', 'shop', '--kb', 'shop');
  const exported = await askbase('one', 'export', 'shop.jsonl.gz');
  expect(exported).toEqual({ code: 0, stdout: '', stderr: '1 documents exported\n' });
  const imported = await askbase('two', 'import', 'shop.jsonl.gz');
  expect(imported).toMatchObject({ code: 0, stderr: '' });
  expect(imported.stdout).toMatch(
    /^1 documents with \d+ passages imported and compared; 0 were there already\n$/,
  );
  const out = await askbase('two', 'export', '-');
  expect(out).toMatchObject({
    code: 0,
    stdout: gunzipSync(readFileSync(join(dir, 'shop.jsonl.gz'))).toString(),
  });
  const answer = await askbase('two', 'ask', 'How many days do I have to return an item?', '--kb', 'shop');
  expect(answer).toMatchObject({ code: 0, stdout: expect.stringContaining('30 days') });
});

it('says in one line what is wrong with a file', async () => {
  writeFileSync(join(dir, 'other.jsonl'), '{"a":1}\n');
  expect(await askbase('three', 'import', 'other.jsonl')).toEqual({
    code: 2,
    stdout: '',
    stderr: 'Line 1: this is not an Askbase export of a version known here.\n',
  });
  expect(await askbase('three', 'import', 'nowhere.jsonl')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'nowhere.jsonl cannot be read (ENOENT).\n',
  });
  truncateSync(join(dir, 'shop.jsonl.gz'), 200);
  const cut = await askbase('three', 'import', 'shop.jsonl.gz');
  expect(cut).toMatchObject({ code: 1, stderr: 'shop.jsonl.gz cannot be read (Z_BUF_ERROR).\n' });
  expect(await askbase('three', 'export', 'none/x.jsonl')).toMatchObject({ code: 1 });
});
