/** Wakes all answers of a process that have text to send at the same moments. */
export interface FlushClock {
  readonly intervalMs: number;
  /** Calls back once, at the next moment: within `intervalMs`. */
  onNextTick(wake: () => void): void;
}

/**
 * Hundreds of timers would each take a turn of the event loop, a write to a socket and a wake-up of its reader for
 * themselves; together they share them. It ticks while somebody waits.
 */
export function createFlushClock({ intervalMs }: { intervalMs: number }): FlushClock {
  let waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;

  const tick = (): void => {
    const woken = waiting;
    waiting = [];
    if (woken.length === 0) {
      clearInterval(timer);
      timer = undefined;
    }
    for (const wake of woken) wake();
  };

  return {
    intervalMs,
    onNextTick(wake) {
      waiting.push(wake);
      timer ??= setInterval(tick, intervalMs);
    },
  };
}
