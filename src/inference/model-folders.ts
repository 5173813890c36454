import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, toAppError } from '../errors.js';
import { type ModelManifest, modelNameSchema, readModelManifest } from './model-manifest.js';

/** Models that were pulled or added stand here, below the models folder, apart from those that ship. */
const PULLED = '.pulled';

/** Where a model of that name stands, or would stand. A shipped one comes first. */
export function modelDirOf(modelsDir: string, name: string): string {
  const shipped = join(modelsDir, name);
  return existsSync(join(shipped, 'manifest.json')) ? shipped : pulledDirOf(modelsDir, name);
}

/** @throws AppError `invalid` when the name is none for a folder */
export function pulledDirOf(modelsDir: string, name: string): string {
  if (!modelNameSchema.safeParse(name).success) throw new AppError('invalid', `"${name}" is no model name.`);
  return join(modelsDir, PULLED, name);
}

export interface InstalledModel {
  name: string;
  dir: string;
  shipped: boolean;
  /** Absent where the folder holds no valid one; `problem` says why. */
  manifest?: ModelManifest;
  problem?: string;
}

export async function listModels(modelsDir: string): Promise<InstalledModel[]> {
  const shipped = await foldersIn(modelsDir);
  const pulled = await foldersIn(join(modelsDir, PULLED));
  return Promise.all([
    ...shipped.map((name) => describeModel(name, join(modelsDir, name), true)),
    ...pulled.map((name) => describeModel(name, join(modelsDir, PULLED, name), false)),
  ]);
}

/** @throws AppError `not-found`, or `invalid` for a model that ships */
export async function removeModel(modelsDir: string, name: string): Promise<void> {
  const dir = pulledDirOf(modelsDir, name);
  if (!existsSync(dir)) {
    const ships = existsSync(join(modelsDir, name));
    throw ships
      ? new AppError('invalid', `${name} ships with Askbase and is not removed.`)
      : new AppError('not-found', `There is no model ${name}.`);
  }
  await rm(dir, { recursive: true });
}

async function describeModel(name: string, dir: string, shipped: boolean): Promise<InstalledModel> {
  return readModelManifest(dir).then(
    (manifest) => ({ name, dir, shipped, manifest }),
    (error: unknown) => ({ name, dir, shipped, problem: toAppError(error).message }),
  );
}

async function foldersIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();
}
