import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT_DIR } from './app.js';

/** The objects of a JSON Lines file in `test/fixtures`. */
export function readFixtureLines<T>(file: string): T[] {
  return readFileSync(join(ROOT_DIR, 'test/fixtures', file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}
