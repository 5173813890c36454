import { openDatabase } from '../store/sqlite-database.js';
import { PASSAGE_MIGRATIONS } from './sqlite-passage-schema.js';

/**
 * Lets whoever holds passages of this file in memory read all of them again: after a restore, what it knew may be gone
 * and numbers may come again.
 */
export function startPassagesAnew(file: string): void {
  const database = openDatabase({ file, migrations: PASSAGE_MIGRATIONS, survives: 'power-loss' });
  database.prepare("UPDATE meta SET value = ? WHERE key = 'generation'").run(String(Date.now()));
  database.close();
}
