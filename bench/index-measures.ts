import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SyntheticQuestion } from './index-corpus.js';

/** Milliseconds. */
export interface Timing {
  p50: number;
  p95: number;
  p99: number;
}

export function summarize(times: readonly number[] = []): Timing {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

export async function sizeOnDisk(dir: string): Promise<number> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) => stat(join(entry.parentPath, entry.name)).then(({ blocks }) => blocks * 512));
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** The share of the nearest passages, by question, that are found. */
export async function recallOf(
  nearest: readonly (readonly string[])[],
  questions: readonly SyntheticQuestion[],
  find: (question: SyntheticQuestion) => Promise<string[]>,
): Promise<number> {
  let [found, wanted] = [0, 0];
  for (const [at, expected] of nearest.entries()) {
    const ids = new Set(await find(questions[at] as SyntheticQuestion));
    found += expected.filter((id) => ids.has(id)).length;
    wanted += expected.length;
  }
  return found / wanted;
}
