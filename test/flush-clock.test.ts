import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFlushClock } from '../src/flush-clock.js';

/** Turns of the event loop, in which no time passes. */
async function takeTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('The clock that text is read and sent by', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('wakes all who wait at the same moment, and rests when nobody waits', async () => {
    const clock = createFlushClock();
    const woken: string[] = [];
    clock.onNextTick(() => woken.push('early'));
    await vi.advanceTimersByTimeAsync(30);
    clock.onNextTick(() => woken.push('late'));
    expect(woken).toEqual([]);
    await vi.advanceTimersByTimeAsync(3);
    expect(woken).toEqual(['early', 'late']);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(33);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('sends what was read at a moment at the same moment', async () => {
    const clock = createFlushClock();
    const sent: number[] = [];
    const readAndSend = async (reader: number): Promise<void> => {
      await clock.untilNextTick();
      await Promise.resolve();
      clock.onNextTick(() => sent.push(reader));
    };
    for (let reader = 0; reader < 100; reader += 1) void readAndSend(reader);
    await vi.advanceTimersByTimeAsync(32);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await takeTurns(20);
    expect(sent).toEqual(Array.from({ length: 100 }, (_, reader) => reader));
  });

  it('lets the event loop turn between groups of those who read on', async () => {
    const clock = createFlushClock();
    let read = 0;
    const readAfterTurn: number[] = [];
    for (let reader = 0; reader < 100; reader += 1) {
      void clock.untilNextTick().then(() => {
        read += 1;
      });
    }
    vi.advanceTimersByTime(33);
    while (read < 100) {
      await takeTurns(1);
      readAfterTurn.push(read);
    }
    expect(readAfterTurn.length).toBeGreaterThan(4);
  });
});
