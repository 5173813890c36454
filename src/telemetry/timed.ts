import type { Timings } from '../frames.js';

/** Runs a stage and notes its wall-clock milliseconds under its name, whether it succeeds or not. */
export async function timed<T>(timings: Timings, stage: string, run: () => Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await run();
  } finally {
    timings[stage] = performance.now() - start;
  }
}
