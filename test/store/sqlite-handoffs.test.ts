import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteStore } from '../../src/store/sqlite-store.js';
import { handoffStoreContract } from '../contracts/handoff-store.js';

handoffStoreContract('sqlite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'askbase-handoffs-'));
  return {
    open: () => createSqliteStore({ file: join(folder, 'store.db') }),
    remove: async () => rmSync(folder, { recursive: true }),
  };
});
