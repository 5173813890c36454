import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutIntoWindows } from '../../src/inference/passage-windows.js';

const idsOf = (length: number): Int32Array => Int32Array.from({ length }, (_, index) => index);

test('a passage that fits is one window', () => {
  const ids = idsOf(10);
  expect(cutIntoWindows(ids, { room: 10, maxWindows: 8 })).toEqual({ windows: [ids], truncated: false });
  expect(cutIntoWindows(idsOf(0), { room: 10, maxWindows: 8 }).windows).toHaveLength(1);
});

test('windows are as long as the room, overlap by a quarter, and the last one ends with the passage', () => {
  const { windows, truncated } = cutIntoWindows(idsOf(250), { room: 100, maxWindows: 8 });
  expect(windows.map((window) => [window[0], window.at(-1)])).toEqual([
    [0, 99],
    [75, 174],
    [150, 249],
  ]);
  expect(truncated).toBe(false);
});

test('every token stands in a window, unless it is said that some do not', () => {
  const numbers = {
    length: fc.nat(2000),
    room: fc.integer({ min: 1, max: 300 }),
    max: fc.integer({ min: 1, max: 9 }),
  };
  fc.assert(
    fc.property(fc.record(numbers), ({ length, room, max }) => {
      const { windows, truncated } = cutIntoWindows(idsOf(length), { room, maxWindows: max });
      const seen = new Set(windows.flatMap((window) => [...window]));
      expect(windows.length).toBeLessThanOrEqual(max);
      expect(windows.every((window) => window.length <= room)).toBe(true);
      expect(seen.size === length).toBe(!truncated);
    }),
  );
});
