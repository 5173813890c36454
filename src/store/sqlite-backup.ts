import { backup } from '@photostructure/sqlite';
import { AppError } from '../errors.js';
import { openForReading, translateErrors } from './sqlite-database.js';

const ALL_PAGES = 1_000_000_000;

/**
 * Copies a database file as it is at one moment, while others write to it (SQLite's online backup), and checks the copy.
 * Throws AppError `unavailable` where the file cannot be read, the copy not be written, or the copy is damaged.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  const source = openForReading(from);
  try {
    // In one step: a copy in several would start again at every write of another process.
    await backup(source, to, { rate: ALL_PAGES });
  } catch (thrown) {
    translateErrors(() => {
      throw thrown;
    });
  } finally {
    source.close();
  }
  checkDatabase(to);
}

/** Throws AppError `unavailable` where SQLite finds the file damaged. */
function checkDatabase(file: string): void {
  const database = openForReading(file);
  try {
    const { integrity_check: verdict } = database.prepare('PRAGMA integrity_check').get();
    if (verdict !== 'ok') throw new AppError('unavailable', `${file} is damaged: ${String(verdict)}`);
  } finally {
    database.close();
  }
}
