import { createHash } from 'node:crypto';
import type { Schemas } from '@qdrant/js-client-rest';
import { AppError } from '../errors.js';
import { type IndexFingerprint, sameFingerprint } from './passage-index.js';
import { isMissing, type SendToQdrant } from './qdrant-requests.js';
import {
  DENSE,
  LEXICAL,
  STALE_DOCUMENTS,
  toDocument,
  toDocumentPoint,
  toFingerprint,
  toMetadata,
} from './qdrant-wire.js';

const TIMEOUT_MS = 60_000;
const COPY_BATCH = 256;

/** Every field that a filter may name; strict mode refuses the others instead of scanning for them. */
const PAYLOAD_INDEXES: Record<string, Schemas['PayloadFieldSchema']> = {
  // Keeps the points of a knowledge base next to each other on disk.
  knowledgeBase: { type: 'keyword', is_tenant: true },
  type: { type: 'keyword' },
  documentId: { type: 'keyword' },
  language: { type: 'keyword' },
  tags: { type: 'keyword' },
  updatedAt: { type: 'datetime' },
  stale: { type: 'bool' },
};

/**
 * The collection behind an alias: its schema follows from what the passages are made with, so another embedding model
 * or analyzer means another collection, and the alias moves when that one is there.
 */
export interface QdrantCollection {
  /** What the collection behind the alias was made with; null where there is none. */
  readFingerprint(): Promise<IndexFingerprint | null>;
  /** As `PassageIndex.prepare`. */
  prepare(fingerprint: IndexFingerprint): Promise<boolean>;
}

export function createQdrantCollection(send: SendToQdrant, alias: string): QdrantCollection {
  const timeout = { timeout: TIMEOUT_MS };

  const readFingerprint = async (): Promise<IndexFingerprint | null> => {
    const info = await send(
      (api, init) => api.getCollection({ collection_name: alias }, init),
      timeout,
    ).catch((thrown) => {
      if (isMissing(thrown)) return null;
      throw thrown;
    });
    if (info === null) return null;
    const fingerprint = toFingerprint(info.config.metadata);
    if (fingerprint === null) {
      throw new AppError(
        'unavailable',
        `The collection ${alias} was not made by Askbase; choose another name.`,
        {
          retryable: false,
        },
      );
    }
    return fingerprint;
  };

  /** Makes the collection where it is missing; another instance may be doing the same. */
  const ensureCollection = async (name: string, fingerprint: IndexFingerprint): Promise<void> => {
    await send(
      (api, init) => api.createCollection({ collection_name: name, ...definitionOf(fingerprint) }, init),
      timeout,
    ).catch(ignoreConflict);
    for (const [field_name, field_schema] of Object.entries(PAYLOAD_INDEXES)) {
      await send(
        (api, init) =>
          api.createFieldIndex({ collection_name: name, wait: true, field_name, field_schema }, init),
        timeout,
      );
    }
  };

  const moveAlias = (name: string, exists: boolean): Promise<unknown> =>
    send(
      (api, init) =>
        api.updateAliases(
          {
            actions: [
              ...(exists ? [{ delete_alias: { alias_name: alias } }] : []),
              { create_alias: { collection_name: name, alias_name: alias } },
            ],
          },
          init,
        ),
      timeout,
    );

  /** Texts and documents without vectors and terms; each document is marked as waiting to be indexed again. */
  const copyTexts = async (target: string): Promise<void> => {
    let offset: Schemas['ExtendedPointId'] | null = null;
    do {
      const from: Schemas['ExtendedPointId'] | null = offset;
      const page = await send(
        (api, init) =>
          api.scrollPoints(
            {
              collection_name: alias,
              limit: COPY_BATCH,
              with_payload: true,
              ...(from === null ? {} : { offset: from }),
            },
            init,
          ),
        timeout,
      );
      const points = page.points.map(({ id, payload }) =>
        payload?.type === 'document'
          ? toDocumentPoint({ ...toDocument(payload), contentHash: '' })
          : { id, vector: {}, payload: payload ?? {} },
      );
      if (points.length > 0) {
        await send(
          (api, init) => api.upsertPoints({ collection_name: target, wait: true, points }, init),
          timeout,
        );
      }
      offset = (page.next_page_offset ?? null) as Schemas['ExtendedPointId'] | null;
    } while (offset !== null);
  };

  const replaceCollection = async (fingerprint: IndexFingerprint): Promise<void> => {
    const target = collectionName(alias, fingerprint);
    const aliases = await send((api, init) => api.getCollectionsAliases({}, init), timeout);
    const old = aliases.aliases.find(({ alias_name }) => alias_name === alias)?.collection_name;
    // What an interrupted attempt left behind may be out of date by now.
    await send((api, init) => api.deleteCollection({ collection_name: target }, init), timeout);
    await ensureCollection(target, fingerprint);
    await copyTexts(target);
    await moveAlias(target, true);
    if (old !== undefined) {
      await send((api, init) => api.deleteCollection({ collection_name: old }, init), timeout);
    }
  };

  return {
    readFingerprint,
    prepare: async (fingerprint) => {
      const current = await readFingerprint();
      if (current === null) {
        const name = collectionName(alias, fingerprint);
        await ensureCollection(name, fingerprint);
        await moveAlias(name, false);
      } else if (!sameFingerprint(current, fingerprint)) {
        await replaceCollection(fingerprint);
      }
      const stale = await send(
        (api, init) =>
          api.countPoints({ collection_name: alias, filter: STALE_DOCUMENTS, exact: true }, init),
        timeout,
      );
      return stale.count > 0;
    },
  };
}

function ignoreConflict(thrown: unknown): void {
  if (!(thrown instanceof AppError) || thrown.code !== 'conflict') throw thrown;
}

function collectionName(alias: string, fingerprint: IndexFingerprint): string {
  const hash = createHash('sha256')
    .update(JSON.stringify(toMetadata(fingerprint)))
    .digest('hex');
  return `${alias}-${hash.slice(0, 12)}`;
}

function definitionOf(fingerprint: IndexFingerprint): Schemas['CreateCollection'] {
  const dense: Schemas['VectorParams'] = {
    size: fingerprint.dimensions,
    // Of unit vectors this is the cosine, and nothing is normalised a second time.
    distance: 'Dot',
    quantization_config: { scalar: { type: 'int8', quantile: 0.99, always_ram: true } },
  };
  return {
    ...(fingerprint.dimensions === 0 ? {} : { vectors: { [DENSE]: dense } }),
    sparse_vectors: { [LEXICAL]: { modifier: 'idf' } },
    // Every search is within one knowledge base: a graph for each, and none across.
    hnsw_config: { m: 0, payload_m: 16 },
    strict_mode_config: {
      enabled: true,
      unindexed_filtering_retrieve: false,
      unindexed_filtering_update: false,
    },
    metadata: toMetadata(fingerprint),
  };
}
