import type { TokenSequence } from './tokenizer/sequence-template.js';

/** How much goes through a model in one run, and how. */
export interface PackingRules {
  /** Padding included. */
  maxTokens: number;
  maxSequences: number;
  /** Lengths are rounded up to a multiple of this: 1 on a CPU, more where few shapes are better. */
  lengthStep: number;
  /** Padding that a run may hold, as a share of its real tokens; small runs may hold more. */
  maxPadding: number;
}

export interface QueuedSequence {
  sequence: TokenSequence;
  /** Place in its request. */
  index: number;
}

/** Below this many tokens a run does not use a core well, and padding costs less than a run of its own. */
const SMALL_RUN_TOKENS = 64;

/**
 * Takes the sequences of the next run out of the queues: the longest of the first queue, then the next shorter ones
 * while they fit and pad little, then those of the other queues.
 *
 * @param queues each sorted by length, longest last; the first is not empty
 * @returns what was taken from each queue
 */
export function packRun(
  queues: readonly QueuedSequence[][],
  rules: PackingRules,
): { taken: QueuedSequence[][]; paddedLength: number } {
  const longest = queues[0]?.at(-1)?.sequence.ids.length ?? 0;
  const paddedLength = Math.ceil(longest / rules.lengthStep) * rules.lengthStep;
  let count = 0;
  let realTokens = 0;

  const fits = (length: number): boolean => {
    if (count === 0) return true;
    const padded = (count + 1) * paddedLength;
    const real = realTokens + length;
    if (length > paddedLength || count >= rules.maxSequences || padded > rules.maxTokens) return false;
    return padded <= real * (1 + rules.maxPadding) || realTokens < SMALL_RUN_TOKENS;
  };

  const taken = queues.map((queue) => {
    const end = countUpTo(queue, paddedLength);
    let start = end;
    while (start > 0) {
      const { length } = (queue[start - 1] as QueuedSequence).sequence.ids;
      if (!fits(length)) break;
      start -= 1;
      count += 1;
      realTokens += length;
    }
    return queue.splice(start, end - start);
  });
  return { taken, paddedLength };
}

/** How many sequences of the queue are at most so long. */
function countUpTo(queue: readonly QueuedSequence[], length: number): number {
  let low = 0;
  let high = queue.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((queue[middle] as QueuedSequence).sequence.ids.length <= length) low = middle + 1;
    else high = middle;
  }
  return low;
}
