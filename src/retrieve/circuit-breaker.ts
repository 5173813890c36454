import { AppError } from '../errors.js';

export type CircuitState = 'closed' | 'open' | 'half-open';

export interface CircuitBreakerOptions {
  /** What a failed call says of the other side: that it is down, that it is there, or nothing (the caller gave up). */
  judge: (thrown: unknown) => 'down' | 'there' | 'unknown';
  /** Failures in a row that open the circuit. */
  failures?: number;
  /** Milliseconds before an open circuit lets one call through to see. */
  pauseMs?: number;
  /** Milliseconds on a clock that never goes back. */
  now?: () => number;
}

/**
 * Spares callers the wait for a service that is down, and the service the callers. After some failures in a row calls
 * are refused at once; after a pause a single one is let through, and decides (M. Nygard, "Release It!", ch. 5).
 */
export interface CircuitBreaker {
  readonly state: CircuitState;
  /** Milliseconds until a call is let through; 0 where one is now. */
  readonly waitMs: number;
  /** Throws AppError `unavailable` with the pause as retry hint where the call is not let through. */
  run<T>(call: () => Promise<T>): Promise<T>;
}

export function createCircuitBreaker(options: CircuitBreakerOptions): CircuitBreaker {
  const { judge, failures = 5, pauseMs = 2_000, now = () => performance.now() } = options;
  let inARow = 0;
  let openedAt: number | null = null;
  let probing = false;

  const waitMs = (): number => {
    if (openedAt === null) return 0;
    return probing ? pauseMs : Math.max(0, openedAt + pauseMs - now());
  };
  const close = (): void => {
    inARow = 0;
    openedAt = null;
  };
  const learn = (verdict: ReturnType<CircuitBreakerOptions['judge']>): void => {
    if (verdict === 'there') close();
    if (verdict !== 'down') return;
    inARow += 1;
    if (inARow >= failures) openedAt = now();
  };

  return {
    get state() {
      if (openedAt === null) return 'closed';
      return waitMs() === 0 || probing ? 'half-open' : 'open';
    },
    get waitMs() {
      return waitMs();
    },
    async run(call) {
      const wait = waitMs();
      if (wait > 0) {
        throw new AppError('unavailable', undefined, { retryAfterSeconds: Math.ceil(wait / 1000) });
      }
      const isProbe = openedAt !== null;
      probing = isProbe;
      try {
        const result = await call();
        learn('there');
        return result;
      } catch (thrown) {
        learn(judge(thrown));
        throw thrown;
      } finally {
        if (isProbe) probing = false;
      }
    },
  };
}
