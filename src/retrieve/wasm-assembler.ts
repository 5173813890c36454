/**
 * As much of the WebAssembly binary format as one function over an imported memory needs: numbers below are those of
 * https://webassembly.github.io/spec/core/binary/. An instruction is a list of bytes; a body is a list of those.
 */

const TYPE = { i32: 0x7f, v128: 0x7b } as const;
const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
const EMPTY_BLOCK = 0x40;
const SIMD = 0xfd;

export type Instruction = readonly number[];

/** Locals count from the parameters on. */
export const wasm = {
  get: (local: number): Instruction => [0x20, ...unsigned(local)],
  set: (local: number): Instruction => [0x21, ...unsigned(local)],
  i32Const: (value: number): Instruction => [0x41, ...signed(value)],
  i32Add: [0x6a],
  i32LessThan: [0x49],
  i32Store: [0x36, 2, 0],
  /** Repeats the body while what it leaves on the stack is not 0: at least once. */
  repeatWhile: (body: readonly Instruction[]): Instruction => [
    ...[0x03, EMPTY_BLOCK],
    ...body.flat(),
    ...[0x0d, 0],
    0x0b,
  ],
  v128Zero: [SIMD, 0x0c, ...new Array<number>(16).fill(0)],
  v128Load: (offset: number): Instruction => [SIMD, 0x00, 4, ...unsigned(offset)],
  i16x8ExtendLowI8x16: [SIMD, ...unsigned(0x87)],
  i16x8ExtendHighI8x16: [SIMD, ...unsigned(0x88)],
  i32x4DotI16x8: [SIMD, ...unsigned(0xba)],
  i32x4Add: [SIMD, ...unsigned(0xae)],
  i32x4Lane: (lane: number): Instruction => [SIMD, 0x1b, lane],
} as const;

/** A module that imports `env.memory` and exports `run`, which takes i32s and returns nothing. */
export function assembleFunction(options: {
  parameters: number;
  locals: readonly (keyof typeof TYPE)[];
  body: readonly Instruction[];
}): Uint8Array<ArrayBuffer> {
  const { parameters, locals, body } = options;
  const signature = [0x60, ...vector(new Array(parameters).fill([TYPE.i32])), ...vector([])];
  const memory = [...name('env'), ...name('memory'), 0x02, 0x00, 1];
  const code = [...vector(locals.map((type) => [1, TYPE[type]])), ...body.flat(), 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d],
    ...[1, 0, 0, 0],
    ...section(SECTION.type, [signature]),
    ...section(SECTION.import, [memory]),
    ...section(SECTION.function, [[0]]),
    ...section(SECTION.export, [[...name('run'), 0x00, 0]]),
    ...section(SECTION.code, [[...unsigned(code.length), ...code]]),
  ]);
}

function section(id: number, entries: readonly Instruction[]): number[] {
  const content = vector(entries);
  return [id, ...unsigned(content.length), ...content];
}

function vector(entries: readonly Instruction[]): number[] {
  return [...unsigned(entries.length), ...entries.flat()];
}

function name(text: string): number[] {
  return vector([...Buffer.from(text)].map((byte) => [byte]));
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  if (value >= -0x40 && value < 0x40) return [value & 0x7f];
  return [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
