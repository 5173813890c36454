import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type KnowledgeBase, knowledgeBaseConfigSchema, knowledgeBaseIdSchema } from './knowledge-base.js';
import { defaultKnowledgeBase } from './knowledge-base-registry.js';
import { parseYaml, YamlError } from './yaml-reader.js';

export const CONFIG_FILE = 'kb.yaml';

/** A file of the knowledge folder that cannot be used, and why. */
export interface FileProblem {
  /** Path inside the knowledge folder, `/`-separated. */
  file: string;
  reason: string;
}

export interface LoadedKnowledgeBases {
  /** Ordered by id. */
  knowledgeBases: KnowledgeBase[];
  /** Ids of the folders that are there, also of those whose `kb.yaml` is wrong: their documents are left alone. */
  folders: string[];
  problems: FileProblem[];
  /** False where the knowledge folder itself could not be read: nothing is known of what is missing here. */
  complete: boolean;
}

/**
 * Reads `<dir>/<id>/kb.yaml` of every folder. A folder without one is a knowledge base with its id for a title, so that
 * a folder of documents is all it takes. What is wrong is reported with file and path, and that folder left out.
 */
export async function loadKnowledgeBases(dir: string): Promise<LoadedKnowledgeBases> {
  const loaded: LoadedKnowledgeBases = { knowledgeBases: [], folders: [], problems: [], complete: true };
  try {
    loaded.folders.push(...(await listFolders(dir)));
  } catch (thrown) {
    loaded.complete = false;
    loaded.problems.push({ file: '', reason: `the knowledge folder cannot be read (${codeOf(thrown)})` });
  }
  for (const id of loaded.folders) {
    const { success, error } = knowledgeBaseIdSchema.safeParse(id);
    if (!success) {
      loaded.problems.push({ file: id, reason: `the name of the folder ${error.issues[0]?.message}` });
      continue;
    }
    const result = await loadKnowledgeBase(dir, id);
    if ('id' in result) loaded.knowledgeBases.push(result);
    else loaded.problems.push(result);
  }
  return loaded;
}

async function listFolders(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  return folders.map(({ name }) => name).sort();
}

async function loadKnowledgeBase(dir: string, id: string): Promise<KnowledgeBase | FileProblem> {
  const file = `${id}/${CONFIG_FILE}`;
  try {
    const config = knowledgeBaseConfigSchema.safeParse(parseYaml(await readFile(join(dir, file), 'utf8')));
    if (config.success) return { id, ...config.data };
    const problems = config.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'the file'}: ${message}`,
    );
    return { file, reason: problems.join('; ') };
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return defaultKnowledgeBase(id);
    return {
      file,
      reason: thrown instanceof YamlError ? thrown.message : `it cannot be read (${codeOf(thrown)})`,
    };
  }
}

/** The system's name for what went wrong: `EACCES`. */
export function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown error';
}
