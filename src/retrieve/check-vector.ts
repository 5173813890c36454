import { AppError } from '../errors.js';

/** Throws `invalid` unless the vector has that many finite numbers. Null, for no vector, passes. */
export function checkVector(vector: Float32Array | null, dimensions: number): void {
  if (vector === null) return;
  if (vector.length !== dimensions) {
    throw new AppError('invalid', `A vector of ${dimensions} numbers is needed, not of ${vector.length}.`);
  }
  if (!vector.every(Number.isFinite)) throw new AppError('invalid', 'A vector holds what is not a number.');
}
