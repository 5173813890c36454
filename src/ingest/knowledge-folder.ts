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
  /** Lets searches go over to what is made again, where all of it is; true while documents wait for that. */
  prepareIndex: () => Promise<boolean>;
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
  prepareIndex,
  registry,
}: KnowledgeFolderOptions): KnowledgeFolder {
  const queue = createKeyedQueue({ maxWaiting: MAX_WAITING });
  const load = async (): Promise<LoadedKnowledgeBases> => {
    const loaded = await loadKnowledgeBases(dir);
    registry.configure(loaded.knowledgeBases);
    return loaded;
  };
  /** Again where another server has written otherwise meanwhile. */
  const reindex = async (signal: AbortSignal): ReturnType<typeof reindexStaleDocuments> => {
    const ensureKnowledgeBase = (id: string) => registry.ensure(id);
    for (let reindexed = 0; ; ) {
      const round = await reindexStaleDocuments({ index, ingestor, ensureKnowledgeBase, signal });
      reindexed += round.reindexed;
      const waiting = await prepareIndex();
      if (!waiting || round.reindexed === 0) return { reindexed, failed: round.failed };
    }
  };
  const sync = async (options: FolderSyncOptions): Promise<FolderSyncSummary> => {
    const { signal } = options;
    const summary = await syncKnowledgeFolder({ ...options, dir, loaded: await load(), index, ingestor });
    const { reindexed, failed } = await reindex(signal);
    return { ...summary, reindexed, failed: [...summary.failed, ...failed] };
  };
  return { load, sync: (options) => queue.run('', () => sync(options), options) };
}
