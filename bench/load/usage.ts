import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface Usage {
  /** User and system time of the whole process so far. */
  cpuMicroseconds: number;
  residentBytes: number;
  /** After a collection. */
  heapBytes: number;
  /** Milliseconds the event loop came late, since the last call. */
  loop: { p50: number; p99: number; max: number };
}

const RESOLUTION_MS = 5;

/** Watches what the process uses. */
export function watchUsage(): () => Usage {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  return () => {
    // The histogram holds the time between two timers: what is above the interval is delay.
    const late = (percentile: number): number =>
      Math.max(0, delay.percentile(percentile) / 1e6 - RESOLUTION_MS);
    const loop = { p50: late(50), p99: late(99), max: Math.max(0, delay.max / 1e6 - RESOLUTION_MS) };
    const { user, system } = process.cpuUsage();
    global.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    delay.reset();
    return { cpuMicroseconds: user + system, residentBytes: rss, heapBytes: heapUsed, loop };
  };
}
