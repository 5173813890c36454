import { cpSync, existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import { writeChosenModel } from '../inference/chosen-models.js';
import { hasFastInt8 } from '../inference/device-choice.js';
import { examineMachine } from '../inference/doctor.js';
import { type DownloadProgress, pullModel, repositorySchema } from '../inference/hub-download.js';
import { listModels, modelDirOf, pulledDirOf, removeModel } from '../inference/model-folders.js';
import { importModel } from '../inference/model-import.js';
import { PRECISIONS, type Precision, readModelManifest } from '../inference/model-manifest.js';
import { readEnvironment } from './environment.js';
import { readConfigOrExit } from './serve-command.js';
import { createProgress, progressBar } from './terminal.js';

const DEFAULT_HUB = 'https://huggingface.co';

export function registerModelsCommand(program: Command): void {
  const models = program
    .command('models')
    .description('list, fetch and choose models for embedding and reranking');
  models
    .command('list')
    .description('show the models that are installed')
    .option('--json', 'print one JSON array')
    .action(async ({ json }: { json?: boolean }) => showModels(readSettings().config, json === true));
  models
    .command('pull')
    .description('download a model from the hub (HF_ENDPOINT names a mirror)')
    .argument('<repository>', 'organisation/name')
    .option('--name <name>', 'name to keep it under')
    .option('--precision <list>', `what to fetch, of ${PRECISIONS.join(', ')}`, parsePrecisions)
    .action(pull);
  models
    .command('add')
    .description('install a model from a folder in the Hugging Face layout')
    .argument('<folder>')
    .option('--name <name>', 'name to keep it under')
    .option('--license <license>', 'under which it is', 'unknown')
    .action(add);
  models
    .command('use')
    .description('make an installed model the one that embeds or reranks from the next start on')
    .argument('<name>')
    .action(use);
  models
    .command('remove')
    .description('delete a model that was pulled or added')
    .argument('<name>')
    .action(async (name: string) => {
      await removeModel(readSettings().config.modelsDir, name);
      print(`${name} is removed.`);
    });
  models
    .command('doctor')
    .description('say what this machine can run models on, and how to get more')
    .option('--json', 'print one JSON object')
    .action(async ({ json }: { json?: boolean }) => {
      const { config } = readSettings();
      const report = await examineMachine(config);
      print(json === true ? JSON.stringify(report) : report.lines.join('\n'));
      if (report.models.some(({ ready }) => !ready)) process.exitCode = 1;
    });
}

interface Settings {
  config: Config;
  hub: string;
}

function readSettings(): Settings {
  const environment = readEnvironment();
  const hub = (environment.HF_ENDPOINT || DEFAULT_HUB).replace(/\/+$/, '');
  return { config: readConfigOrExit(environment), hub };
}

async function showModels(config: Config, json: boolean): Promise<void> {
  const installed = await listModels(config.modelsDir);
  const inUse = new Set([config.embed.model, config.rerank.model]);
  const rows = installed.map(({ name, shipped, manifest, problem }) => ({
    name,
    kind: manifest?.kind ?? null,
    precisions: manifest?.files.map(({ precision }) => precision) ?? [],
    bytes: manifest?.files.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0,
    license: manifest?.license ?? null,
    shipped,
    inUse: inUse.has(name),
    ...(problem === undefined ? {} : { problem }),
  }));
  if (json) {
    print(JSON.stringify(rows));
    return;
  }
  for (const row of rows) {
    const size = `${(row.bytes / 1e6).toFixed(1)} MB`;
    const facts = row.problem ?? [row.kind, row.precisions.join('+'), size, row.license].join(', ');
    print(`${row.inUse ? '*' : ' '} ${row.name}: ${facts}`);
  }
  if (rows.length === 0) print('No model is installed.');
}

async function pull(repository: string, options: { name?: string; precision?: Precision[] }): Promise<void> {
  if (!repositorySchema.safeParse(repository).success) {
    throw new AppError('invalid', 'The model must be named organisation/name.');
  }
  const { config, hub } = readSettings();
  const name = options.name ?? nameOf(repository);
  const dir = pulledDirOf(config.modelsDir, name);
  const progress = createProgress(process.stderr);
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  try {
    const {
      repository: found,
      revision,
      license,
    } = await pullModel({ endpoint: hub }, repository, dir, {
      precisions: options.precision ?? [hasFastInt8() ? 'int8' : 'fp32'],
      signal: stopping.signal,
      onProgress: (state) => progress.show(describeProgress(state)),
    });
    const source = `${found} at ${revision}`;
    await importModel(dir, { name, license, source, onStep: (step) => progress.show(step) });
  } finally {
    progress.clear();
  }
  print(`${name} is installed. \`askbase models use ${name}\` puts it into use.`);
}

async function add(folder: string, options: { name?: string; license: string }): Promise<void> {
  if (!existsSync(folder)) throw new AppError('not-found', `There is no folder ${folder}.`);
  const { config } = readSettings();
  const name = options.name ?? nameOf(basename(folder));
  const dir = pulledDirOf(config.modelsDir, name);
  if (existsSync(dir)) throw new AppError('conflict', `There is a model ${name} already.`);
  cpSync(folder, dir, { recursive: true });
  const progress = createProgress(process.stderr);
  try {
    await importModel(dir, {
      name,
      license: options.license,
      source: `added from the folder ${basename(folder)}`,
      onStep: (step) => progress.show(step),
    });
  } catch (error) {
    await removeModel(config.modelsDir, name);
    throw error;
  } finally {
    progress.clear();
  }
  print(`${name} is installed. \`askbase models use ${name}\` puts it into use.`);
}

async function use(name: string): Promise<void> {
  const { config } = readSettings();
  const { kind } = await readModelManifest(modelDirOf(config.modelsDir, name));
  writeChosenModel(config.dataDir, kind, name);
  const setting = kind === 'embedder' ? 'EMBED_MODEL' : 'RERANK_MODEL';
  print(`From the next start on the ${kind} is ${name}, unless ${setting} names another.`);
  if (kind === 'embedder') print('The knowledge is embedded anew then.');
}

/** `BAAI/bge-reranker-v2-m3` is kept as `bge-reranker-v2-m3`. */
function nameOf(repository: string): string {
  return (repository.split('/').at(-1) as string).toLowerCase();
}

function parsePrecisions(list: string): Precision[] {
  return list.split(',').map((item) => {
    const precision = PRECISIONS.find((known) => known === item.trim());
    if (precision === undefined) {
      throw new AppError('invalid', `--precision takes a list of ${PRECISIONS.join(', ')}.`);
    }
    return precision;
  });
}

function describeProgress({ file, receivedBytes, totalBytes }: DownloadProgress): string {
  const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
  return `${progressBar(megabytes(receivedBytes), megabytes(totalBytes))} MB  ${file}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
