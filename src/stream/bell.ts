export interface WaitOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** Lets any number of waiters sleep until the next ring, an abort or a timeout: the caller looks which it was. */
export interface Bell {
  ring(): void;
  /** Never rejects. */
  wait(options?: WaitOptions): Promise<void>;
}

export function createBell(): Bell {
  let waiting = new Set<() => void>();
  return {
    ring() {
      const woken = waiting;
      waiting = new Set();
      for (const wake of woken) wake();
    },
    wait({ signal, timeoutMs } = {}) {
      if (signal?.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = (): void => {
          waiting.delete(wake);
          signal?.removeEventListener('abort', wake);
          clearTimeout(timer);
          resolve();
        };
        const timer = timeoutMs === undefined ? undefined : setTimeout(wake, timeoutMs);
        waiting.add(wake);
        signal?.addEventListener('abort', wake, { once: true });
      });
    },
  };
}
