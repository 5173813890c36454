import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWatchdog } from '../../src/answer/watchdog.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a watchdog', () => {
  it('gives up when the time allowed last is over', () => {
    const watchdog = createWatchdog(new AbortController().signal);
    watchdog.allow(100);
    vi.advanceTimersByTime(99);
    watchdog.allow(100);
    vi.advanceTimersByTime(99);
    expect(watchdog.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(watchdog).toMatchObject({ barked: true, signal: { aborted: true } });
  });

  it('does not take a slow reader for a silent model: paused, it waits for ever', () => {
    const watchdog = createWatchdog(new AbortController().signal);
    watchdog.allow(100);
    watchdog.pause();
    vi.advanceTimersByTime(1_000_000);
    expect(watchdog.barked).toBe(false);
  });

  it('stops with whoever it works for, before or after', () => {
    const outer = new AbortController();
    const watchdog = createWatchdog(outer.signal);
    outer.abort();
    expect(watchdog).toMatchObject({ barked: false, signal: { aborted: true } });
    expect(createWatchdog(outer.signal).signal.aborted).toBe(true);
  });

  it('leaves no timer behind when it is closed', () => {
    const watchdog = createWatchdog(new AbortController().signal);
    watchdog.allow(100);
    watchdog.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(watchdog).toMatchObject({ barked: false, signal: { aborted: true } });
  });
});
