/**
 * Sizes of passages, in tokens of `countTokens`. A cross-encoder reads question and passage together in 512 tokens, so
 * that the largest passage and a long question still fit into one window, and five or six passages into a prompt.
 */
export const PASSAGE_SIZE = {
  /** Where text flows, passages end near here. */
  target: 200,
  /** Nothing is longer but a curated answer. */
  most: 320,
  /** Sentences of the passage before are repeated up to here. */
  overlap: 40,
  /** Sections and remainders below this join a neighbour. */
  small: 60,
  /** A curated answer is one passage up to here: it is shown as it was written. */
  longestAnswer: 1200,
} as const;

/** Part of every content hash: raise it when documents should be read or cut anew. */
export const PASSAGES_VERSION = '1';
