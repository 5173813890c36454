import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createThinkingStripper } from '../../src/answer/strip-thinking.js';

function strip(deltas: readonly string[]): string {
  const stripper = createThinkingStripper();
  return deltas.map((delta) => stripper.push(delta)).join('') + stripper.finish();
}

describe('what a model thinks aloud', () => {
  it.each([
    ['<think>hm</think>\n\nYes.', 'Yes.'],
    ['\n<think></think>Yes.', 'Yes.'],
    ['Yes, <think> is a tag</think>.', 'Yes, <think> is a tag</think>.'],
    ['<thin air', '<thin air'],
    ['<think>never ends', ''],
    ['<', '<'],
    ['', ''],
  ])('is left out of “%s”, however that is cut', (text, rest) => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: text.length })), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        expect(strip(places.slice(1).map((end, index) => text.slice(places[index], end)))).toBe(rest);
      }),
      { numRuns: 50 },
    );
  });
});
