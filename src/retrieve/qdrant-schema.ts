import { createHash } from 'node:crypto';
import type { Schemas } from '@qdrant/js-client-rest';
import type { IndexFingerprint } from './passage-index.js';
import { DENSE, LEXICAL, toMetadata } from './qdrant-wire.js';

/** How a collection is spread over a cluster; what is absent the server decides, and is not checked. */
export interface QdrantLayout {
  /** Parts of a collection, fixed when it is made. */
  shards?: number;
  /** Copies of each shard. */
  replicas?: number;
  /** Copies that must have a write before it is acknowledged. */
  writeConsistency?: number;
}

/**
 * Every field that a filter may name; strict mode refuses the others instead of scanning for them. The server weaves
 * links into its graphs for each of them unless told not to: only for those by which searches are narrowed down to many.
 */
export const PAYLOAD_INDEXES: Record<string, Exclude<Schemas['PayloadFieldSchema'], string>> = {
  // Keeps the points of a knowledge base next to each other on disk.
  knowledgeBase: { type: 'keyword', is_tenant: true },
  language: { type: 'keyword' },
  tags: { type: 'keyword' },
  type: { type: 'keyword', enable_hnsw: false },
  documentId: { type: 'keyword', enable_hnsw: false },
  updatedAt: { type: 'datetime', enable_hnsw: false },
};

/**
 * Beyond this the original vectors stay on the disk: half a million passages of 256 dimensions. The int8 copies, a
 * quarter of that, find the neighbourhood from memory; the originals are read for the few that are ranked.
 */
const ORIGINALS_IN_MEMORY_BYTES = 512 * 1024 * 1024;
const BYTES_PER_NUMBER = 4;

/** Every search is within one knowledge base: a graph for each, and none across. */
const GRAPHS: Schemas['HnswConfigDiff'] = { m: 0, payload_m: 16 };
/**
 * During a bulk load: none at all. Segments are still closed as they fill. Without that (`indexing_threshold: 0`) they
 * grow without end, and a write walks the whole list of each of its terms (Qdrant 1.18,
 * `propagate_max_next_weight_to_the_left`): 950 passages a second at 30,000 were 200 at 400,000.
 */
const NO_GRAPHS: Schemas['HnswConfigDiff'] = { m: 0, payload_m: 0 };

const STRICT_MODE: Schemas['StrictModeConfig'] = {
  enabled: true,
  unindexed_filtering_retrieve: false,
  unindexed_filtering_update: false,
};

/** Of the collection that holds what was made with this, behind an alias. */
export function collectionName(alias: string, madeWith: IndexFingerprint): string {
  const hash = createHash('sha256')
    .update(JSON.stringify(toMetadata(madeWith)))
    .digest('hex');
  return `${alias}-${hash.slice(0, 12)}`;
}

export function isCollectionOf(alias: string, name: string): boolean {
  return name.startsWith(`${alias}-`) && /^[0-9a-f]{12}$/.test(name.slice(alias.length + 1));
}

export function definitionOf(madeWith: IndexFingerprint, layout: QdrantLayout): Schemas['CreateCollection'] {
  const dense: Schemas['VectorParams'] = {
    size: madeWith.dimensions,
    // Of unit vectors this is the cosine, and nothing is normalised a second time.
    distance: 'Dot',
    quantization_config: { scalar: { type: 'int8', quantile: 0.99, always_ram: true } },
  };
  return {
    ...(madeWith.dimensions === 0 ? {} : { vectors: { [DENSE]: dense } }),
    sparse_vectors: { [LEXICAL]: { modifier: 'idf' } },
    hnsw_config: GRAPHS,
    strict_mode_config: STRICT_MODE,
    metadata: toMetadata(madeWith),
    ...(layout.shards === undefined ? {} : { shard_number: layout.shards }),
    ...(layout.replicas === undefined ? {} : { replication_factor: layout.replicas }),
    ...(layout.writeConsistency === undefined ? {} : { write_consistency_factor: layout.writeConsistency }),
  };
}

/** Puts off building what vectors are found by, or catches up on it. */
export function deferral(isDeferred: boolean): Schemas['UpdateCollection'] {
  return { hnsw_config: isDeferred ? NO_GRAPHS : GRAPHS };
}

/** What cannot be put right in a collection that is there, one sentence each, with what to do. */
export function schemaProblems(
  { config, payload_schema }: Schemas['CollectionInfo'],
  madeWith: IndexFingerprint,
  layout: QdrantLayout,
): string[] {
  const { params } = config;
  const dense = denseOf(params);
  const problems: string[] = [];
  if (madeWith.dimensions > 0 && dense === undefined) {
    problems.push(`it has no vectors named "${DENSE}"`);
  } else if (dense !== undefined && dense.size !== madeWith.dimensions) {
    problems.push(`its vectors have ${dense.size} dimensions where the model makes ${madeWith.dimensions}`);
  }
  if (dense !== undefined && dense.distance !== 'Dot') {
    problems.push(`its vectors are compared by ${dense.distance}, not by Dot`);
  }
  const lexical = params.sparse_vectors?.[LEXICAL];
  if (lexical === undefined) problems.push(`it has no sparse vectors named "${LEXICAL}"`);
  else if (lexical.modifier !== 'idf') problems.push(`its "${LEXICAL}" vectors lack the idf modifier`);
  for (const [field, { type }] of Object.entries(PAYLOAD_INDEXES)) {
    const found = payload_schema[field]?.data_type;
    if (found !== undefined && found !== type) {
      problems.push(`its field "${field}" is indexed as ${found}, not as ${type}`);
    }
  }
  if (layout.shards !== undefined && params.shard_number !== layout.shards) {
    problems.push(
      `it has ${params.shard_number} shards where QDRANT_SHARDS is ${layout.shards}, and shards are fixed when a collection is made`,
    );
  }
  if (layout.replicas !== undefined && params.replication_factor !== layout.replicas) {
    problems.push(
      `it keeps ${params.replication_factor} copies of each shard where QDRANT_REPLICAS is ${layout.replicas}, and copies are added by hand (docs/operations.md)`,
    );
  }
  return problems;
}

/** What can be put right in a collection that is there; null where nothing is to be changed. */
export function repairOf(
  { config, points_count }: Schemas['CollectionInfo'],
  { dimensions }: IndexFingerprint,
  { writeConsistency }: QdrantLayout,
): Schemas['UpdateCollection'] | null {
  const { params, strict_mode_config: strict } = config;
  const isStrict =
    strict?.enabled === true &&
    strict.unindexed_filtering_retrieve === false &&
    strict.unindexed_filtering_update === false;
  const isLarge = (points_count ?? 0) * dimensions * BYTES_PER_NUMBER > ORIGINALS_IN_MEMORY_BYTES;
  const toDisk = isLarge && denseOf(params)?.on_disk !== true;
  const isDeferred = config.hnsw_config.payload_m === NO_GRAPHS.payload_m;
  const otherConsistency =
    writeConsistency !== undefined && params.write_consistency_factor !== writeConsistency;
  if (isStrict && !toDisk && !isDeferred && !otherConsistency) return null;
  return {
    ...(isStrict ? {} : { strict_mode_config: STRICT_MODE }),
    ...(isDeferred ? deferral(false) : {}),
    ...(toDisk ? { vectors: { [DENSE]: { on_disk: true } } } : {}),
    ...(otherConsistency ? { params: { write_consistency_factor: writeConsistency } } : {}),
  };
}

function denseOf({ vectors }: Schemas['CollectionParams']): Schemas['VectorParams'] | undefined {
  return (vectors as Record<string, Schemas['VectorParams']> | undefined)?.[DENSE];
}
