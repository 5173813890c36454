import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderByKey } from '../../src/retrieve/order-by-key.js';

const anyKey = fc.oneof(fc.nat({ max: 0xffff_ffff }), fc.nat({ max: 3 }), fc.constant(0xffff_ffff));

describe('order by key', () => {
  it('sorts as a stable sort does', () => {
    fc.assert(
      fc.property(fc.array(anyKey, { maxLength: 300 }), (keys) => {
        const stable = keys.map((_, at) => at).sort((a, b) => (keys[a] as number) - (keys[b] as number));
        expect([...orderByKey(Uint32Array.from(keys))]).toEqual(stable);
      }),
    );
  });
});
