import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { OnnxGraph } from '../test/support/onnx-writer.js';

export interface MatrixShape {
  precision: 'fp32' | 'int8';
  rows: number;
  inner: number;
  columns: number;
}

/** Shapes as they occur in the bench's model, from which the best counts. */
export const MATRIX_SHAPES: readonly Omit<MatrixShape, 'precision'>[] = [
  { rows: 256, inner: 384, columns: 384 },
  { rows: 512, inner: 384, columns: 1536 },
  { rows: 512, inner: 1536, columns: 384 },
];

/** A graph of one matrix product with constant weights, in integers for int8 (without the quantising around it). */
export function writeMatrixModel(path: string, { precision, inner, columns }: MatrixShape): void {
  const graph = new OnnxGraph();
  const isInteger = precision === 'int8';
  const input = graph.input({ name: 'input', type: isInteger ? 'uint8' : 'float32', dims: ['rows', inner] });
  const weights = Float32Array.from({ length: inner * columns }, (_, index) => Math.cos(index));
  if (isInteger) {
    const values = Int8Array.from(weights, (value) => Math.round(value * 127));
    const product = graph.node('MatMulInteger', [
      input,
      graph.constant({ type: 'int8', dims: [inner, columns], values }),
    ]);
    graph.rename(product, 'output');
  } else {
    const constant = graph.constant({ type: 'float32', dims: [inner, columns], values: weights });
    graph.rename(graph.node('MatMul', [input, constant]), 'output');
  }
  graph.output({ name: 'output', type: isInteger ? 'int32' : 'float32', dims: ['rows', columns] });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, graph.encode());
}
