import { type BestHits, createBestHits } from './best-hits.js';
import { type DotProducts, MAX_INT8, ROWS_PER_BLOCK } from './simd-dot-products.js';

/**
 * Vectors by place, searched exactly. An int8 copy is scanned first; how far its product can be from the true one is
 * known for each vector, so that only those that may be among the best are multiplied in full. What is found, its order
 * and its scores are those of multiplying every vector.
 */
export interface DenseVectors {
  /** Places are filled in order, from 0. */
  push(vector: Float32Array | null): void;
  at(place: number): Float32Array | null;
  /** The best cosines. */
  search(query: Float32Array, options: DenseSearchOptions): BestHits;
  /** Gives its memory back; nothing else may be called afterwards. */
  release(): void;
}

export interface DenseSearchOptions {
  /** By place: 1 where a passage may be found. */
  mask: Uint8Array;
  ids: readonly string[];
  limit: number;
}

interface Block {
  vectors: Float32Array;
  /** Address of the codes. */
  codes: number;
  /** A vector is about its codes times this. */
  scales: Float32Array;
  /** Length of what the codes leave out of a vector, rounded up; NO_VECTOR where there is none. */
  residues: Float32Array;
  /** Length of the scaled codes, at most. */
  reaches: Float32Array;
}

const NO_VECTOR = -1;
/** For the rounding of the sums themselves, which are some thousand times more exact. */
const ROUNDING = 1e-6;

export function createDenseVectors(dimensions: number, products: DotProducts): DenseVectors {
  const blocks: Block[] = [];
  const codes = new Int8Array(dimensions);
  const queryCodes = new Int16Array(dimensions);
  let length = 0;

  const addBlock = (): Block => {
    const block = {
      vectors: new Float32Array(ROWS_PER_BLOCK * dimensions),
      codes: products.allocate(),
      scales: new Float32Array(ROWS_PER_BLOCK),
      residues: new Float32Array(ROWS_PER_BLOCK).fill(NO_VECTOR),
      reaches: new Float32Array(ROWS_PER_BLOCK),
    };
    blocks.push(block);
    return block;
  };

  return {
    push: (vector) => {
      const row = length % ROWS_PER_BLOCK;
      const block = row === 0 ? addBlock() : (blocks.at(-1) as Block);
      length += 1;
      if (vector === null) return;
      block.vectors.set(vector, row * dimensions);
      const { scale, residue } = quantize(vector, MAX_INT8, codes);
      products.writeRow(block.codes, row, codes);
      block.scales[row] = scale;
      block.residues[row] = residue * (1 + ROUNDING);
      block.reaches[row] = (lengthOf(vector) + residue) * (1 + ROUNDING);
    },
    at: (place) => {
      const block = blocks[Math.floor(place / ROWS_PER_BLOCK)] as Block;
      const row = place % ROWS_PER_BLOCK;
      if (block.residues[row] === NO_VECTOR) return null;
      return block.vectors.subarray(row * dimensions, (row + 1) * dimensions);
    },
    search: (query, { mask, ids, limit }) => {
      const best = createBestHits(limit, ids);
      const { scale: queryScale, residue: queryResidue } = quantize(query, products.maxQuery, queryCodes);
      const queryLength = lengthOf(query);
      products.setQuery(queryCodes);
      for (const [number, block] of blocks.entries()) {
        const { vectors, scales, residues, reaches } = block;
        const first = number * ROWS_PER_BLOCK;
        const rows = Math.min(ROWS_PER_BLOCK, length - first);
        if (!anyIn(mask, first, rows)) continue;
        const sums = products.multiply(block.codes, rows);
        for (let row = 0; row < rows; row += 1) {
          const residue = residues[row] as number;
          if (mask[first + row] === 0 || residue === NO_VECTOR) continue;
          const estimate = (sums[row] as number) * (scales[row] as number) * queryScale;
          // Vector and query are codes and residue each; the three products left out, by Cauchy and Schwarz.
          const doubt = residue * queryLength + (reaches[row] as number) * queryResidue + ROUNDING;
          if (estimate + doubt < best.threshold) continue;
          best.offer(first + row, dotProduct(query, vectors, row * dimensions));
        }
      }
      return best;
    },
    release: () => {
      for (const block of blocks.splice(0)) products.release(block.codes);
    },
  };
}

/** Rounds to whole multiples of `scale` up to `max` of them; `residue` is the length of the error. */
function quantize(
  vector: Float32Array,
  max: number,
  codes: Int8Array | Int16Array,
): { scale: number; residue: number } {
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = Math.fround(largest / max);
  if (scale === 0) {
    codes.fill(0);
    return { scale, residue: lengthOf(vector) };
  }
  let error = 0;
  vector.forEach((value, at) => {
    const code = Math.round(value / scale);
    codes[at] = code;
    error += (value - code * scale) ** 2;
  });
  return { scale, residue: Math.sqrt(error) };
}

function lengthOf(vector: Float32Array): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
}

function anyIn(mask: Uint8Array, first: number, count: number): boolean {
  for (let place = first; place < first + count; place += 1) if (mask[place] !== 0) return true;
  return false;
}

/** Four sums at a time: V8 keeps them in registers, which takes half the time of one. */
function dotProduct(vector: Float32Array, block: Float32Array, offset: number): number {
  const { length } = vector;
  let [a, b, c, d] = [0, 0, 0, 0];
  let index = 0;
  for (; index + 3 < length; index += 4) {
    a += (vector[index] as number) * (block[offset + index] as number);
    b += (vector[index + 1] as number) * (block[offset + index + 1] as number);
    c += (vector[index + 2] as number) * (block[offset + index + 2] as number);
    d += (vector[index + 3] as number) * (block[offset + index + 3] as number);
  }
  for (; index < length; index += 1) a += (vector[index] as number) * (block[offset + index] as number);
  return a + b + (c + d);
}
