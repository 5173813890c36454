/** Wakes all answers of a process at the same moments: first those that read on, then those that have text to send. */
export interface FlushClock {
  readonly intervalMs: number;
  /** Calls back once, at the next moment: within `intervalMs`, after what was read at that moment. */
  onNextTick(wake: () => void): void;
  /** Resolves once, at the next moment. */
  untilNextTick(): Promise<void>;
}

/** What a client sees as flowing. */
const INTERVAL_MS = 33;
/** So many read on in one turn of the event loop; others are served between the turns. */
const READERS_PER_TURN = 16;

/**
 * Hundreds of timers would each take a turn of the event loop, a write to a socket and a wake-up of its reader for
 * themselves; together they share them. It ticks while somebody waits.
 */
export function createFlushClock(): FlushClock {
  let readers: (() => void)[] = [];
  let writers: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;

  const tick = (): void => {
    if (readers.length === 0 && writers.length === 0) {
      clearInterval(timer);
      timer = undefined;
      return;
    }
    const woken = readers;
    readers = [];
    readOn(woken, 0);
  };
  /** What readers do is done, as far as it waits for nothing, before the next turn. */
  const readOn = (woken: readonly (() => void)[], from: number): void => {
    flush();
    if (from >= woken.length) return;
    const end = from + READERS_PER_TURN;
    for (const wake of woken.slice(from, end)) wake();
    setImmediate(readOn, woken, end);
  };
  const flush = (): void => {
    const woken = writers;
    writers = [];
    for (const wake of woken) wake();
  };
  const start = (): void => {
    timer ??= setInterval(tick, INTERVAL_MS);
  };

  return {
    intervalMs: INTERVAL_MS,
    onNextTick(wake) {
      writers.push(wake);
      start();
    },
    untilNextTick() {
      start();
      return new Promise((resolve) => readers.push(resolve));
    },
  };
}
