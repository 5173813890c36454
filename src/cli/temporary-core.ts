import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Core } from '../core.js';
import { AppError } from '../errors.js';
import { withCore } from './open-core.js';
import { createProgress, progressBar } from './terminal.js';

export interface MeasuringOptions {
  /** What is told of how far it is is shown as a bar behind these words. */
  show(what: string): (progress: { done: number; total: number }) => void;
  signal: AbortSignal;
}

/** Runs a measurement on an index of its own, which goes afterwards. */
export async function withTemporaryCore<T>(
  measure: (core: Core, options: MeasuringOptions) => Promise<T>,
): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'askbase-measure-'));
  const progress = createProgress(process.stderr);
  const show: MeasuringOptions['show'] =
    (what) =>
    ({ done, total }) =>
      progress.show(`${what} ${progressBar(done, total)}`);
  try {
    return await withCore((core, signal) => measure(core, { show, signal }), { dataDir });
  } finally {
    progress.clear();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** The value of an option that counts something. Throws AppError `invalid` naming the option. */
export function parseCount(option: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new AppError('invalid', `${option} takes a whole number above 0: not "${text}".`);
}
