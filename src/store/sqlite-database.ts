import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSyncInstance } from '@photostructure/sqlite';
import { AppError } from '../errors.js';

export type Database = InstanceType<typeof DatabaseSync>;
export type Statement = StatementSyncInstance;

export interface OpenOptions {
  file: string;
  /** SQL per schema version, oldest first: a file at version n is brought forward by the ones from n on. */
  migrations: readonly string[];
  /**
   * What a commit survives. `power-loss`: everything, at the price of one flush to the disk per commit.
   * `process-kill`: kill -9 and crashes of ours (the operating system holds the pages by then), not a power cut.
   */
  survives: 'power-loss' | 'process-kill';
}

/** Waits this long for a writer in another process before giving up. */
const BUSY_TIMEOUT_MS = 10_000;

/** Opens a file in WAL mode, creating folder, file and schema where missing. Throws AppError `unavailable` with the reason. */
export function openDatabase({ file, migrations, survives }: OpenOptions): Database {
  return translateErrors(() => {
    mkdirSync(dirname(file), { recursive: true });
    const database = new DatabaseSync(file);
    try {
      database.exec(`
        PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS};
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = ${survives === 'power-loss' ? 'FULL' : 'NORMAL'};
        PRAGMA foreign_keys = ON;
        PRAGMA journal_size_limit = 67108864;
      `);
      migrate(database, migrations);
      return database;
    } catch (thrown) {
      database.close();
      throw thrown;
    }
  });
}

/** A second connection that cannot write, to a file that `openDatabase` has brought forward. */
export function openForReading(file: string): Database {
  return translateErrors(() => {
    const database = new DatabaseSync(file, { readOnly: true });
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    return database;
  });
}

/** Runs inside one transaction: all of it is kept, or, where it throws, nothing. */
export function inTransaction<T>(database: Database, kind: 'read' | 'write', run: () => T): T {
  return translateErrors(() => {
    database.exec(kind === 'write' ? 'BEGIN IMMEDIATE' : 'BEGIN');
    try {
      const result = run();
      database.exec('COMMIT');
      return result;
    } catch (thrown) {
      // A full disk may have rolled back already.
      if (database.isTransaction) database.exec('ROLLBACK');
      throw thrown;
    }
  });
}

function migrate(database: Database, migrations: readonly string[]): void {
  const versionOf = (): number => {
    const { user_version: version } = database.prepare('PRAGMA user_version').get();
    return version;
  };
  if (versionOf() === migrations.length) return;
  inTransaction(database, 'write', () => {
    const version = versionOf();
    if (version > migrations.length) {
      throw new AppError('unavailable', 'The database file was written by a newer version of Askbase.', {
        retryable: false,
      });
    }
    for (const migration of migrations.slice(version)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

/** Primary result codes (https://sqlite.org/rescode.html) with a remedy that someone can act on. */
const EXPLANATIONS = new Map([
  [5, 'The database file is locked by another process.'],
  [8, 'The database file cannot be written: it, its folder or the disk is read-only.'],
  [10, 'The disk reported an error on the database file.'],
  [11, 'The database file is damaged.'],
  [13, 'The disk is full.'],
  [14, 'The database file cannot be opened: check the folder and its permissions.'],
  [26, 'The database file is not an SQLite database.'],
]);

/** What the file or disk refuses becomes `unavailable` with a reason; programming errors stay what they are. */
export function translateErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    const resultCode = Number((thrown as { errcode?: unknown }).errcode) & 0xff;
    const folderProblem = (thrown as { syscall?: unknown }).syscall === 'mkdir';
    const explanation = EXPLANATIONS.get(folderProblem ? 14 : resultCode);
    if (explanation === undefined) throw thrown;
    throw new AppError('unavailable', explanation, { cause: thrown });
  }
}
