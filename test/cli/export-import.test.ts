import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { SAMPLE_KNOWLEDGE, writeFiles } from '../support/app.js';
import { type FinishedCommand, startCommand } from '../support/command.js';
import { TINY_EMBEDDER, TINY_RERANKER, writeTinyModels } from '../support/tiny-models.js';

// Ten commands, each a process that loads everything anew.
vi.setConfig({ testTimeout: 600_000 });

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'askbase-move-'));
  writeTinyModels(join(dir, 'models'));
  writeFiles(join(dir, 'knowledge'), {});
  writeFiles(join(dir, 'shop'), { 'en/returns.md': SAMPLE_KNOWLEDGE['shop/en/returns.md'] ?? '' });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const askbase = (dataDir: string, ...args: string[]): Promise<FinishedCommand> => {
  const env = {
    DATA_DIR: join(dir, dataDir),
    MODELS_DIR: join(dir, 'models'),
    KNOWLEDGE_DIR: join(dir, 'knowledge'),
    EMBED_MODEL: TINY_EMBEDDER,
    RERANK_MODEL: TINY_RERANKER,
    EMBED_DEVICE: 'cpu',
    RERANK_DEVICE: 'cpu',
  };
  return startCommand('cli/askbase.ts', args, { env, cwd: dir }).finished;
};

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
