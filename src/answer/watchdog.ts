/** Aborts `signal` when nobody has fed it for the time that was allowed last. */
export interface Watchdog {
  readonly signal: AbortSignal;
  /** True when it was the watchdog that gave up. */
  readonly barked: boolean;
  /** Starts the wait again, with a new limit in milliseconds. */
  allow(milliseconds: number): void;
  /** Stops waiting until the next `allow`. */
  pause(): void;
  /** Ends the wait and aborts whatever still listens. */
  close(): void;
}

/** @param outer aborting it aborts `signal` too */
export function createWatchdog(outer: AbortSignal): Watchdog {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let barked = false;
  const stop = (): void => controller.abort(outer.reason);
  if (outer.aborted) stop();
  else outer.addEventListener('abort', stop, { once: true });

  return {
    signal: controller.signal,
    get barked() {
      return barked;
    },
    allow(milliseconds) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        barked = true;
        controller.abort();
      }, milliseconds);
    },
    pause: () => clearTimeout(timer),
    close() {
      clearTimeout(timer);
      outer.removeEventListener('abort', stop);
      controller.abort();
    },
  };
}
