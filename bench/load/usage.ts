import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface Usage {
  /** User and system time of the whole process so far, less our own collections. */
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
  /** Microseconds that went into our own collections. */
  let collecting = 0;
  return () => {
    // The histogram holds the time between two timers: what is above the interval is delay.
    const late = (percentile: number): number =>
      Math.max(0, delay.percentile(percentile) / 1e6 - RESOLUTION_MS);
    const loop = { p50: late(50), p99: late(99), max: Math.max(0, delay.max / 1e6 - RESOLUTION_MS) };
    const { user, system } = process.cpuUsage();
    global.gc?.();
    const collected = process.cpuUsage({ user, system });
    const cpuMicroseconds = user + system - collecting;
    collecting += collected.user + collected.system;
    const { rss, heapUsed } = process.memoryUsage();
    delay.reset();
    return { cpuMicroseconds, residentBytes: rss, heapBytes: heapUsed, loop };
  };
}
