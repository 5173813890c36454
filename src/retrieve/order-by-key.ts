/** 32-bit keys in three rounds. */
const BITS = 11;
const BUCKETS = 2 ** BITS;

/**
 * Positions of `keys` in ascending order of the key; equal keys keep their order. A radix sort, least significant digits
 * first: time and memory in proportion to the number of keys.
 */
export function orderByKey(keys: Uint32Array): Uint32Array {
  const { length } = keys;
  let [sorted, order] = [keys.slice(), Uint32Array.from({ length }, (_, at) => at)];
  let [nextSorted, nextOrder] = [new Uint32Array(length), new Uint32Array(length)];
  const starts = new Uint32Array(BUCKETS);
  for (let shift = 0; shift < 32; shift += BITS) {
    starts.fill(0);
    for (let at = 0; at < length; at += 1) {
      const digit = digitOf(sorted[at] as number, shift);
      starts[digit] = (starts[digit] as number) + 1;
    }
    let start = 0;
    for (let digit = 0; digit < BUCKETS; digit += 1) {
      const count = starts[digit] as number;
      starts[digit] = start;
      start += count;
    }
    for (let at = 0; at < length; at += 1) {
      const key = sorted[at] as number;
      const digit = digitOf(key, shift);
      const to = starts[digit] as number;
      starts[digit] = to + 1;
      nextSorted[to] = key;
      nextOrder[to] = order[at] as number;
    }
    [sorted, nextSorted] = [nextSorted, sorted];
    [order, nextOrder] = [nextOrder, order];
  }
  return order;
}

function digitOf(key: number, shift: number): number {
  return (key >>> shift) & (BUCKETS - 1);
}
