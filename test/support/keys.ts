import { join } from 'node:path';
import { makeApiKey } from '../../src/identity/api-key.js';
import type { Scope } from '../../src/identity/identity.js';
import type { StoredKey } from '../../src/identity/key-store.js';
import { createSqliteStore } from '../../src/store/sqlite-store.js';

export interface TestKey {
  id: string;
  key: string;
}

/** Makes keys in the store of a test app, as `askbase keys create` does beside a running server. */
export async function makeKeys<Name extends string>(
  dir: string,
  wanted: Record<Name, Partial<StoredKey> & { scopes: Scope[] }>,
): Promise<Record<Name, TestKey>> {
  const store = await createSqliteStore({ file: join(dir, 'data/store.db') });
  const made = {} as Record<Name, TestKey>;
  for (const [name, fields] of Object.entries(wanted) as [Name, Partial<StoredKey> & { scopes: Scope[] }][]) {
    const { id, key, secretHash } = makeApiKey();
    const createdAt = new Date().toISOString();
    await store.writeKey({ id, secretHash, name, tenant: id, knowledgeBases: 'all', createdAt, ...fields });
    made[name] = { id, key };
  }
  await store.close();
  return made;
}
