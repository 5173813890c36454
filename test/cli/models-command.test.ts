import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readChosenModels } from '../../src/inference/chosen-models.js';
import { writeHubModel } from '../support/hub-model.js';
import { type HubServer, startHubServer } from '../support/hub-server.js';
import { createInstallation, type Installation } from '../support/installation.js';
import { TINY_EMBEDDER, TINY_RERANKER } from '../support/tiny-models.js';

let installation: Installation;
let folder: string;
let hub: HubServer;

beforeAll(async () => {
  installation = createInstallation();
  folder = installation.dir;
  writeHubModel(join(folder, 'hub'), { kind: 'bert', precisions: ['fp32', 'int8'] });
  hub = await startHubServer({ 'org/Some-Reranker': join(folder, 'hub') });
});
afterAll(async () => {
  await hub.close();
  installation.remove();
});

interface Outcome {
  code: number | null;
  out: string;
  error: string;
}

/** The command line as a person runs it, in a pipe. */
async function models(...words: string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await installation.askbase(['models', ...words], {
    HF_ENDPOINT: `${hub.url}/`,
  });
  return { code, out: stdout, error: stderr };
}

describe('askbase models', () => {
  test('pulls a model, lists it, puts it into use and removes it, silently in a pipe', async () => {
    const pulled = await models('pull', 'org/Some-Reranker', '--precision', 'int8,fp32');
    expect(pulled).toMatchObject({ code: 0, error: '' });
    expect(pulled.out).toContain('some-reranker is installed');

    const listed = JSON.parse((await models('list', '--json')).out);
    expect(listed).toMatchObject([
      { name: TINY_EMBEDDER, kind: 'embedder', shipped: true, inUse: true },
      { name: TINY_RERANKER, kind: 'reranker', shipped: true, inUse: true },
      { name: 'some-reranker', precisions: ['fp32', 'int8'], license: 'apache-2.0', shipped: false },
    ]);

    expect((await models('use', 'some-reranker')).code).toBe(0);
    expect(readChosenModels(join(folder, 'data'))).toEqual({ RERANK_MODEL: 'some-reranker' });

    expect((await models('remove', 'some-reranker')).code).toBe(0);
    expect(existsSync(join(folder, 'models/.pulled/some-reranker'))).toBe(false);
  });

  test('adds a model from a folder, once', async () => {
    expect((await models('add', join(folder, 'hub'), '--name', 'mine', '--license', 'MIT')).code).toBe(0);
    const again = await models('add', join(folder, 'hub'), '--name', 'mine');
    expect(again).toMatchObject({ code: 1, error: 'There is a model mine already.\n' });
    expect((await models('list')).out).toMatch(/^ {2}mine: reranker, .*MIT$/m);
  });

  test('explains what this machine can use', async () => {
    const { code, out } = await models('doctor');
    expect(code).toBe(0);
    expect(out).toMatch(/^\d+ cores, /);
    expect(out).toContain(`reranker ${TINY_RERANKER}: cpu, fp32`);
    expect(out).toContain('webgpu needs');
  });

  test.each([
    ['a repository without organisation', ['pull', 'bge'], 2],
    ['a repository that is not there', ['pull', 'org/nowhere'], 1],
    ['a precision that is none', ['pull', 'org/Some-Reranker', '--precision', 'int4'], 2],
    ['a model that is not there', ['use', 'nowhere'], 1],
    ['a model that ships', ['remove', TINY_EMBEDDER], 2],
    ['a folder that is not there', ['add', '/nonexistent'], 1],
    ['an unknown command', ['destroy'], 2],
  ])('refuses %s', async (_, words, expected) => {
    const { code, error } = await models(...words);
    expect(code).toBe(expected);
    expect(error.trim()).not.toBe('');
    expect(error).not.toContain('    at ');
  });
});
