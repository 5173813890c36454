/** Turns texts into vectors whose dot product is their cosine. */
export interface Embedder {
  /** Name of the model, as it is kept in the index. */
  readonly model: string;
  readonly dimensions: number;
  /**
   * One unit vector per text, in order. Throws AppError `unavailable` or `overloaded` (both retryable),
   * `stopped` when the signal aborts.
   */
  embed(
    texts: readonly string[],
    options: { kind: 'query' | 'passage'; signal: AbortSignal },
  ): Promise<Float32Array[]>;
}
