import type { Embedder } from '../../src/retrieve/embedder.js';

export interface LetterEmbedder extends Embedder {
  /** Sizes of the batches it was given. */
  batches: number[];
}

/** A unit vector from how often the first letters of the alphabet occur: the same text, the same vector. */
export function createLetterEmbedder(dimensions = 8): LetterEmbedder {
  const batches: number[] = [];
  return {
    model: 'letters',
    dimensions,
    batches,
    embed: async (texts, { signal }) => {
      signal.throwIfAborted();
      batches.push(texts.length);
      return texts.map((text) => {
        const counts = Array.from(
          { length: dimensions },
          (_, letter) => text.split(String.fromCharCode(97 + letter)).length,
        );
        const norm = Math.hypot(...counts);
        return Float32Array.from(counts, (count) => count / norm);
      });
    },
  };
}
