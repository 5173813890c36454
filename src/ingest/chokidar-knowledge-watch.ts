import { basename, relative, sep } from 'node:path';
import { watch } from 'chokidar';
import { isIgnoredName } from './knowledge-files.js';

export interface KnowledgeWatchOptions {
  /** The knowledge folder. It must be there. */
  dir: string;
  /**
   * Called with the id of every knowledge base in whose folder something changed, `kb.yaml` included, once the files
   * have stopped growing. One call at a time; what changes meanwhile is called afterwards. What it throws goes to
   * `onError`.
   */
  onChange: (knowledgeBase: string) => Promise<unknown>;
  /** The watch goes on. */
  onError: (error: unknown) => void;
}

export interface KnowledgeWatch {
  /** Resolves when nothing is called any more. */
  close(): Promise<void>;
}

/** A file is whole when its size has not changed for this long. */
const STABLE_MS = 300;
const POLL_MS = 50;
/** Changes of many files come together. */
const QUIET_MS = 100;

/** Follows the knowledge folder. Resolves when changes are seen from now on. */
export async function watchKnowledgeFolder(options: KnowledgeWatchOptions): Promise<KnowledgeWatch> {
  const { dir, onChange, onError } = options;
  const changed = new Set<string>();
  let quiet: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let closed = false;

  const runChanges = async (): Promise<void> => {
    for (const id of changed) {
      changed.delete(id);
      if (!closed) await onChange(id).catch(onError);
    }
  };
  const watcher = watch(dir, {
    ignoreInitial: true,
    followSymlinks: false,
    awaitWriteFinish: { stabilityThreshold: STABLE_MS, pollInterval: POLL_MS },
    ignored: (path) => path !== dir && isIgnoredName(basename(path)),
  });
  watcher.on('error', onError).on('all', (_event, path) => {
    const [id = ''] = relative(dir, path).split(sep);
    if (id === '') return;
    changed.add(id);
    clearTimeout(quiet);
    quiet = setTimeout(() => {
      running = running.then(runChanges);
    }, QUIET_MS);
  });
  await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));

  return {
    close: async () => {
      closed = true;
      clearTimeout(quiet);
      await watcher.close();
      await running;
    },
  };
}
