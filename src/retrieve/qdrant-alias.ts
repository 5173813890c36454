import type { Schemas } from '@qdrant/js-client-rest';
import { AppError } from '../errors.js';
import type { IndexFingerprint } from './passage-index.js';
import { isMissing, type SendToQdrant } from './qdrant-requests.js';
import {
  collectionName,
  deferral,
  definitionOf,
  isCollectionOf,
  PAYLOAD_INDEXES,
  type QdrantLayout,
  repairOf,
  schemaProblems,
} from './qdrant-schema.js';
import { isRetired, RETIRED, toFingerprint } from './qdrant-wire.js';

/** A collection and what its passages are made with. */
export interface MadeCollection {
  name: string;
  madeWith: IndexFingerprint;
}

/**
 * The name that searches go by, and the collections behind it: one for each making, mostly a single one. The alias says
 * which of them is searched.
 */
export interface QdrantAlias {
  /** The one that is searched; null where there is none yet. Throws `unavailable` where it is not ours. */
  searched(): Promise<MadeCollection | null>;
  /** Of every collection of ours, whether it is whole or not. */
  names(): Promise<string[]>;
  /** Makes the collection for this making where it is missing, and sees that it is as it should be. */
  ensure(madeWith: IndexFingerprint): Promise<MadeCollection>;
  /** Puts off building what vectors are found by, or catches up on it; until then they are compared one by one. */
  deferIndexing(name: string, isDeferred: boolean): Promise<void>;
  /** Lets searches go to this one, at once. */
  pointTo(name: string): Promise<void>;
  /** Marks one that is about to be replaced: whoever finds it afterwards may drop it. */
  retire(name: string): Promise<void>;
  isRetired(name: string): Promise<boolean>;
  drop(name: string): Promise<void>;
}

export interface QdrantAliasOptions {
  send: SendToQdrant;
  alias: string;
  layout: QdrantLayout;
  /** Milliseconds for one attempt. */
  timeout: number;
}

export function createQdrantAlias({ send, alias, layout, timeout }: QdrantAliasOptions): QdrantAlias {
  const ask: <T>(request: Parameters<typeof send<T>>[0]) => Promise<T> = (request) =>
    send(request, { timeout });
  const readInfo = (collection_name: string): Promise<Schemas['CollectionInfo']> =>
    ask((api, init) => api.getCollection({ collection_name }, init));

  const target = async (): Promise<string | undefined> => {
    const { aliases } = await ask((api, init) => api.getCollectionsAliases({}, init));
    return aliases.find(({ alias_name }) => alias_name === alias)?.collection_name;
  };
  const names = async (): Promise<string[]> => {
    const { collections } = await ask((api, init) => api.getCollections({}, init));
    return collections.map(({ name }) => name).filter((name) => isCollectionOf(alias, name));
  };

  const create = (name: string, madeWith: IndexFingerprint): Promise<unknown> =>
    ask((api, init) =>
      api.createCollection({ collection_name: name, ...definitionOf(madeWith, layout) }, init),
    ).catch(ignoreConflict);

  const check = async (name: string, madeWith: IndexFingerprint): Promise<void> => {
    const info = await readInfo(name);
    const problems = schemaProblems(info, madeWith, layout);
    if (problems.length > 0) {
      throw new AppError('unavailable', `The collection ${name} does not fit: ${problems.join('; ')}.`, {
        retryable: false,
      });
    }
    const repair = repairOf(info, madeWith, layout);
    if (repair !== null) {
      await ask((api, init) => api.updateCollection({ collection_name: name, ...repair }, init));
    }
    for (const [field_name, field_schema] of Object.entries(PAYLOAD_INDEXES)) {
      if (info.payload_schema[field_name] !== undefined) continue;
      await ask((api, init) =>
        api.createFieldIndex({ collection_name: name, wait: true, field_name, field_schema }, init),
      );
    }
  };

  return {
    names,

    searched: async () => {
      const info = await readInfo(alias).catch((thrown) => {
        if (isMissing(thrown)) return null;
        throw thrown;
      });
      if (info === null) return null;
      const madeWith = toFingerprint(info.config.metadata);
      const name = await target();
      if (madeWith === null || name === undefined) {
        const message = `The collection ${alias} was not made by Askbase; choose another name.`;
        throw new AppError('unavailable', message, { retryable: false });
      }
      return { name, madeWith };
    },

    ensure: async (madeWith) => {
      const name = collectionName(alias, madeWith);
      if (!(await names()).includes(name)) await create(name, madeWith);
      await check(name, madeWith);
      return { name, madeWith };
    },

    pointTo: async (name) => {
      const old = await target();
      if (old === name) return;
      await ask((api, init) =>
        api.updateAliases(
          {
            actions: [
              ...(old === undefined ? [] : [{ delete_alias: { alias_name: alias } }]),
              { create_alias: { collection_name: name, alias_name: alias } },
            ],
          },
          init,
        ),
      );
    },

    deferIndexing: async (collection_name, isDeferred) => {
      await ask((api, init) => api.updateCollection({ collection_name, ...deferral(isDeferred) }, init));
    },

    retire: async (name) => {
      await ask((api, init) => api.updateCollection({ collection_name: name, metadata: RETIRED }, init));
    },

    drop: async (name) => {
      await ask((api, init) => api.deleteCollection({ collection_name: name }, init));
    },

    isRetired: async (name) => isRetired((await readInfo(name)).config.metadata),
  };
}

/** Another instance has made it meanwhile. */
function ignoreConflict(thrown: unknown): void {
  if (!(thrown instanceof AppError) || thrown.code !== 'conflict') throw thrown;
}
