import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ModelKind } from './model-manifest.js';

const chosenSchema = z.strictObject({
  EMBED_MODEL: z.string().optional(),
  RERANK_MODEL: z.string().optional(),
});

/** Defaults for the settings of the same names; the environment overrides them. */
export type ChosenModels = z.infer<typeof chosenSchema>;

/** What `askbase models use` has chosen. Nothing where it was never called or the file cannot be read. */
export function readChosenModels(dataDir: string): ChosenModels {
  try {
    return chosenSchema.parse(JSON.parse(readFileSync(fileIn(dataDir), 'utf8')));
  } catch {
    return {};
  }
}

export function writeChosenModel(dataDir: string, kind: ModelKind, name: string): void {
  const setting = kind === 'embedder' ? 'EMBED_MODEL' : 'RERANK_MODEL';
  mkdirSync(dataDir, { recursive: true });
  const chosen: ChosenModels = { ...readChosenModels(dataDir), [setting]: name };
  writeFileSync(fileIn(dataDir), `${JSON.stringify(chosen, null, 2)}\n`);
}

function fileIn(dataDir: string): string {
  return join(dataDir, 'models.json');
}
