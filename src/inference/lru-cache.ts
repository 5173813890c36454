import { LRUCache } from 'lru-cache';

export interface CacheCounts {
  hits: number;
  misses: number;
  entries: number;
}

/** A bounded memory that drops what was not asked for longest, and counts. */
export interface BoundedCache<Value extends object> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  counts(): CacheCounts;
}

interface BoundedCacheOptions<Value> {
  /** Bound on the sum of `sizeOf` over all entries. */
  maxSize: number;
  sizeOf: (value: Value) => number;
}

export function createBoundedCache<Value extends object>(
  options: BoundedCacheOptions<Value>,
): BoundedCache<Value> {
  const cache = new LRUCache<string, Value>({ maxSize: options.maxSize, sizeCalculation: options.sizeOf });
  let hits = 0;
  let misses = 0;
  return {
    get(key) {
      const value = cache.get(key);
      if (value === undefined) misses += 1;
      else hits += 1;
      return value;
    },
    set: (key, value) => void cache.set(key, value),
    counts: () => ({ hits, misses, entries: cache.size }),
  };
}
