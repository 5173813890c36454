import { assembleFunction, wasm } from './wasm-assembler.js';

/** Rows that are kept and multiplied together: their products fit in the processor's nearest cache. */
export const ROWS_PER_BLOCK = 256;

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Every Node has it; its types come with the browser's only, and those have no place in a server. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    Memory: new (options: { initial: number }) => WasmMemory;
    Module: new (bytes: Uint8Array) => object;
    Instance: new (module: object, imports: object) => { exports: Record<string, unknown> };
  };
};

const PAGE = 65_536;
/** Numbers that one step of the kernel multiplies. */
const STEP = 16;
const MAX_INT32 = 2 ** 31 - 1;
const MAX_INT16 = 2 ** 15 - 1;
/** Largest absolute value of a row's numbers. */
export const MAX_INT8 = 127;

/**
 * Rows of int8 numbers in WebAssembly memory, in blocks, and their dot products with an int16 query by SIMD
 * instructions. One memory serves a whole index: each costs gigabytes of address space, whatever it holds.
 */
export interface DotProducts {
  /** Largest absolute value of a query's numbers for which no sum overflows. */
  readonly maxQuery: number;
  /** Address of a new block of rows, all zeros. */
  allocate(): number;
  release(block: number): void;
  writeRow(block: number, row: number, codes: Int8Array): void;
  setQuery(query: Int16Array): void;
  /** Products of the query with the first `rows` rows of a block; valid until the next call of anything here. */
  multiply(block: number, rows: number): Int32Array;
}

export function createDotProducts(dimensions: number): DotProducts {
  const rowBytes = Math.ceil(dimensions / STEP) * STEP;
  const blockBytes = rowBytes * ROWS_PER_BLOCK;
  const queryAt = 0;
  const productsAt = rowBytes * 2;
  let end = productsAt + ROWS_PER_BLOCK * 4;
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / PAGE) });
  const multiplyRows = instantiate(memory);
  const free: number[] = [];

  return {
    maxQuery: Math.min(MAX_INT16, Math.floor(MAX_INT32 / (MAX_INT8 * Math.max(1, rowBytes)))),
    allocate: () => {
      const reused = free.pop();
      if (reused !== undefined) {
        new Uint8Array(memory.buffer, reused, blockBytes).fill(0);
        return reused;
      }
      const block = end;
      end += blockBytes;
      const missing = end - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
      return block;
    },
    release: (block) => {
      free.push(block);
    },
    writeRow: (block, row, codes) => new Int8Array(memory.buffer).set(codes, block + row * rowBytes),
    setQuery: (query) => new Int16Array(memory.buffer, queryAt, rowBytes).set(query),
    multiply: (block, rows) => {
      if (rows > 0 && rowBytes > 0) multiplyRows(queryAt, block, rows, rowBytes, productsAt);
      return new Int32Array(memory.buffer, productsAt, rows);
    },
  };
}

type MultiplyRows = (query: number, row: number, rows: number, rowBytes: number, products: number) => void;

function instantiate(memory: WasmMemory): MultiplyRows {
  const [QUERY, ROW, ROWS, ROW_BYTES, PRODUCTS, QUERY_STEP, ROW_END, BLOCK_END, LOW, HIGH] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
  ] as const;
  const { get, set, i32Const, i32Add, i32LessThan, i32Store, repeatWhile } = wasm;
  const { v128Zero, v128Load, i32x4DotI16x8, i32x4Add, i32x4Lane } = wasm;

  /** sum += the dot products of 8 numbers of the row with 8 of the query, in four lanes. */
  const addProducts = (sum: number, extend: readonly number[], queryOffset: number) => [
    ...[get(ROW), v128Load(0), extend],
    ...[get(QUERY_STEP), v128Load(queryOffset)],
    ...[i32x4DotI16x8, get(sum), i32x4Add, set(sum)],
  ];
  const advance = (local: number, bytes: number) => [get(local), i32Const(bytes), i32Add, set(local)];

  const multiplyRow = [
    ...[get(QUERY), set(QUERY_STEP)],
    ...[get(ROW), get(ROW_BYTES), i32Add, set(ROW_END)],
    ...[v128Zero, set(LOW), v128Zero, set(HIGH)],
    repeatWhile([
      ...addProducts(LOW, wasm.i16x8ExtendLowI8x16, 0),
      ...addProducts(HIGH, wasm.i16x8ExtendHighI8x16, STEP),
      ...advance(ROW, STEP),
      ...advance(QUERY_STEP, 2 * STEP),
      ...[get(ROW), get(ROW_END), i32LessThan],
    ]),
    ...[get(LOW), get(HIGH), i32x4Add, set(LOW)],
    get(PRODUCTS),
    ...[0, 1, 2, 3].flatMap((lane) => [get(LOW), i32x4Lane(lane)]),
    ...[i32Add, i32Add, i32Add, i32Store],
    ...advance(PRODUCTS, 4),
  ];
  const multiplyBlock = [
    ...[get(PRODUCTS), get(ROWS), get(ROWS), i32Add, get(ROWS), get(ROWS), i32Add, i32Add],
    ...[i32Add, set(BLOCK_END)],
    repeatWhile([...multiplyRow, get(PRODUCTS), get(BLOCK_END), i32LessThan]),
  ];
  const module = new WebAssembly.Module(
    assembleFunction({
      parameters: 5,
      locals: ['i32', 'i32', 'i32', 'v128', 'v128'],
      body: multiplyBlock,
    }),
  );
  return new WebAssembly.Instance(module, { env: { memory } }).exports.run as MultiplyRows;
}
