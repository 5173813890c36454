import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import type { Config } from '../config.js';
import { AppError } from '../errors.js';
import { createSqlitePassageIndex } from '../retrieve/sqlite-passage-index.js';
import { startPassagesAnew } from '../retrieve/sqlite-passage-restore.js';
import { copyDatabase } from '../store/sqlite-backup.js';
import { createSqliteStore } from '../store/sqlite-store.js';
import { readEnvironment } from './environment.js';
import { readConfigOrExit, readVersion } from './serve-command.js';

/** What DATA_DIR holds; opening a file brings its schema forward, and refuses one that is newer than this program. */
const DATABASES = {
  'index.db': (file: string) => createSqlitePassageIndex({ file }),
  'store.db': (file: string) => createSqliteStore({ file }),
} as const;
type DatabaseName = keyof typeof DATABASES;
const NAMES = Object.keys(DATABASES) as DatabaseName[];
const CHOICES = 'models.json';
const MANIFEST = 'backup.json';

const manifestSchema = z.object({
  askbase: z.string(),
  at: z.string(),
  files: z.record(z.string(), z.object({ bytes: z.number(), sha256: z.string() })),
});

export function registerBackupCommands(program: Command): void {
  program
    .command('backup')
    .description('copy index, conversations, traces, feedback and keys into a folder, while the server runs')
    .argument('<folder>', 'new or empty')
    .action(async (folder: string) => {
      const config = readConfigOrExit(readEnvironment());
      const files = await backUp(config, folder);
      process.stdout.write(`${folder}: ${files.join(', ')}\n${remindOfQdrant(config)}`);
    });
  program
    .command('restore')
    .description(
      'put back what `askbase backup` has copied, in place of what is there, while the server runs',
    )
    .argument('<folder>', 'what `askbase backup` has written')
    .action(async (folder: string) => {
      const config = readConfigOrExit(readEnvironment());
      const files = await restore(config, folder);
      process.stdout.write(`restored: ${files.join(', ')}\n${remindOfQdrant(config)}`);
    });
}

async function backUp({ dataDir }: Config, folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) throw new AppError('conflict', `${folder} is not empty.`);
  const files: z.output<typeof manifestSchema>['files'] = {};
  for (const name of [...NAMES, CHOICES]) {
    const from = join(dataDir, name);
    if (!existsSync(from)) continue;
    const to = join(folder, name);
    await (name === CHOICES ? copyFile(from, to) : copyDatabase(from, to));
    files[name] = { bytes: (await stat(to)).size, sha256: await hashFile(to) };
  }
  if (Object.keys(files).length === 0) throw new AppError('not-found', `There is nothing in ${dataDir} yet.`);
  const manifest = { askbase: readVersion(), at: new Date().toISOString(), files };
  // Last, so that a folder with a manifest is a whole backup.
  await writeFile(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  return Object.keys(files);
}

/** Everything is checked before anything is changed. */
async function restore({ dataDir }: Config, folder: string): Promise<string[]> {
  const { files } = await readManifest(folder);
  for (const [name, { sha256 }] of Object.entries(files)) {
    if (name !== CHOICES && !(name in DATABASES)) {
      throw new AppError('unavailable', `${name} is not known to this version of Askbase.`);
    }
    const hash = await hashFile(join(folder, name)).catch(() => undefined);
    if (hash !== sha256) throw new AppError('unavailable', `${join(folder, name)} is missing or damaged.`);
  }
  await mkdir(dataDir, { recursive: true });
  const ready = new Map<DatabaseName, string>();
  try {
    for (const name of NAMES) if (name in files) ready.set(name, await bringForward(folder, name, dataDir));
    for (const [name, copy] of ready) {
      await copyDatabase(copy, join(dataDir, name));
      if (name === 'index.db') startPassagesAnew(join(dataDir, name));
    }
    if (CHOICES in files) await copyFile(join(folder, CHOICES), join(dataDir, CHOICES));
  } finally {
    for (const copy of ready.values()) await removeDatabase(copy);
  }
  return Object.keys(files);
}

/** A copy beside the real file, opened once: its schema is this version's then. Throws where it is a newer one. */
async function bringForward(folder: string, name: DatabaseName, dataDir: string): Promise<string> {
  const copy = join(dataDir, `restoring-${name}`);
  await removeDatabase(copy);
  await copyFile(join(folder, name), copy);
  try {
    const opened = await DATABASES[name](copy);
    await opened.close();
    return copy;
  } catch (thrown) {
    await removeDatabase(copy);
    throw thrown;
  }
}

async function removeDatabase(file: string): Promise<void> {
  for (const part of ['', '-wal', '-shm']) await rm(file + part, { force: true });
}

async function readManifest(folder: string): Promise<z.output<typeof manifestSchema>> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')));
  } catch (cause) {
    throw new AppError('not-found', `${folder} holds no whole backup: ${MANIFEST} is missing or wrong.`, {
      cause,
    });
  }
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function remindOfQdrant({ qdrant }: Config): string {
  return qdrant === undefined
    ? ''
    : 'The index itself is in Qdrant: it has snapshots of its own, and the knowledge folder can be read again.\n';
}
