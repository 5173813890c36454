import type { PassageIndex } from '../retrieve/passage-index.js';
import type { Ingestor } from './ingestor.js';
import { createKeyedQueue } from './keyed-queue.js';
import type { KnowledgeBaseRegistry } from './knowledge-base-registry.js';
import { type LoadedKnowledgeBases, loadKnowledgeBases } from './load-knowledge-bases.js';
import { reindexStaleDocuments } from './reindex-stale-documents.js';
import { type SyncProgress, type SyncSummary, syncKnowledgeFolder } from './sync-knowledge-folder.js';

export interface KnowledgeFolderOptions {
  /** One folder per knowledge base; it need not be there. */
  dir: string;
  index: PassageIndex;
  ingestor: Ingestor;
  /** Is told what every `kb.yaml` says, each time they are read. */
  registry: KnowledgeBaseRegistry;
}

export interface FolderSyncOptions {
  /** Only this one; all of them where absent. */
  knowledgeBase?: string;
  onProgress?: (progress: SyncProgress) => void;
  signal: AbortSignal;
}

export interface FolderSyncSummary extends SyncSummary {
  /** Documents, uploads mostly, whose passages got new vectors and terms. */
  reindexed: number;
}

/** The knowledge folder and the index that follows it. */
export interface KnowledgeFolder {
  /** Reads every `kb.yaml`; after that the knowledge bases can be asked for. Takes milliseconds. */
  load(): Promise<LoadedKnowledgeBases>;
  /**
   * Loads, ingests what is new or changed, removes what has gone, and indexes again what was indexed otherwise. One at a
   * time, in the order of the calls. Throws as `syncKnowledgeFolder` does.
   */
  sync(options: FolderSyncOptions): Promise<FolderSyncSummary>;
}

const MAX_WAITING = 1000;

export function createKnowledgeFolder({
  dir,
  index,
  ingestor,
  registry,
}: KnowledgeFolderOptions): KnowledgeFolder {
  const queue = createKeyedQueue({ maxWaiting: MAX_WAITING });
  const load = async (): Promise<LoadedKnowledgeBases> => {
    const loaded = await loadKnowledgeBases(dir);
    registry.configure(loaded.knowledgeBases);
    return loaded;
  };
  const sync = async (options: FolderSyncOptions): Promise<FolderSyncSummary> => {
    const { signal } = options;
    const summary = await syncKnowledgeFolder({ ...options, dir, loaded: await load(), index, ingestor });
    const ensureKnowledgeBase = (id: string) => registry.ensure(id);
    const { reindexed, failed } = await reindexStaleDocuments({
      index,
      ingestor,
      ensureKnowledgeBase,
      signal,
    });
    return { ...summary, reindexed, failed: [...summary.failed, ...failed] };
  };
  return { load, sync: (options) => queue.run('', () => sync(options), options) };
}
