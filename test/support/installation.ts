import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFiles } from './app.js';
import { type FinishedCommand, type RunningCommand, startCommand } from './command.js';
import { TINY_EMBEDDER, TINY_RERANKER, writeTinyModels } from './tiny-models.js';

/** A folder with tiny models and knowledge, where commands run as processes of their own. */
export interface Installation {
  /** Where commands start; their data is in `data`, knowledge in `knowledge`, models in `models`. */
  dir: string;
  env: Record<string, string>;
  /** Starts `askbase` with these arguments. */
  start(args: readonly string[], more?: Record<string, string>): RunningCommand;
  /** The same, to its end. */
  askbase(args: readonly string[], more?: Record<string, string>): Promise<FinishedCommand>;
  /** Starts the server as `npm start` does. */
  serve(more?: Record<string, string>): RunningCommand;
  remove(): void;
}

/** @param files by path, e.g. `knowledge/shop/en/returns.md` */
export function createInstallation(files: Record<string, string> = {}): Installation {
  const dir = mkdtempSync(join(tmpdir(), 'askbase-'));
  writeTinyModels(join(dir, 'models'));
  writeFiles(dir, files);
  const env = {
    DATA_DIR: join(dir, 'data'),
    MODELS_DIR: join(dir, 'models'),
    KNOWLEDGE_DIR: join(dir, 'knowledge'),
    EMBED_MODEL: TINY_EMBEDDER,
    RERANK_MODEL: TINY_RERANKER,
    EMBED_DEVICE: 'cpu',
    RERANK_DEVICE: 'cpu',
  };
  const start: Installation['start'] = (args, more = {}) =>
    startCommand('cli/askbase.ts', args, { env: { ...env, ...more }, cwd: dir });
  return {
    dir,
    env,
    start,
    askbase: (args, more) => start(args, more).finished,
    serve: (more = {}) => startCommand('main.ts', [], { env: { ...env, PORT: '0', ...more }, cwd: dir }),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
