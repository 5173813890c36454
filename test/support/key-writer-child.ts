/** Writes and revokes API keys forever, and says after each that it was acknowledged. Killed by the test that starts it. */
import { createSqliteStore } from '../../src/store/sqlite-store.js';

const [file, run] = process.argv.slice(2);
const store = await createSqliteStore({ file: file as string });
for (let number = 0; ; number += 1) {
  const id = `key-${run}-${number}`;
  await store.writeKey({
    id,
    name: `Key ${number}`,
    secretHash: 'ab'.repeat(32),
    scopes: ['ask'],
    knowledgeBases: 'all',
    tenant: 'shop',
    createdAt: new Date().toISOString(),
  });
  process.stdout.write(`written ${id}\n`);
  if (number % 2 === 0) continue;
  await store.revokeKey(id, '2026-11-26T00:00:00.000Z');
  process.stdout.write(`revoked ${id}\n`);
}
