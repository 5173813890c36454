import { elementTypeNumber, OnnxGraph } from './onnx-writer.js';

/** The architectures that cross-encoders and embedders come in, with the details that matter to a runtime. */
export interface TransformerShape {
  /** `roberta` counts positions from the padding id; `modernbert` has rotary positions, local attention and gates. */
  kind: 'bert' | 'roberta' | 'modernbert';
  task: 'reranker' | 'embedder';
  precision: 'fp32' | 'fp16' | 'int8';
  layers: number;
  hidden: number;
  heads: number;
  intermediate: number;
  vocabularySize: number;
  maxPositions: number;
  padId?: number;
}

export const MINILM_L6 = {
  layers: 6,
  hidden: 384,
  heads: 12,
  intermediate: 1536,
  maxPositions: 512,
} as const;

/** An ONNX model of that shape with pseudo-random weights, the same ones at every precision. */
export function writeTransformer(shape: TransformerShape): Buffer {
  return new TransformerWriter(shape).write();
}

const LOCAL_WINDOW = 64;
const ROTARY_BASE = 10_000;
const AXES = ['batch', 'sequence'] as const;

class TransformerWriter {
  readonly #graph = new OnnxGraph();
  readonly #shape: TransformerShape;
  readonly #float: 'float32' | 'float16';
  #random = 88_172_645;
  /** [batch, 1, 1, sequence]: 0, or hugely negative where there is padding. */
  #paddingBias = '';
  #localBias = '';
  #rotary: { cosine: string; sine: string } | undefined;

  constructor(shape: TransformerShape) {
    this.#shape = shape;
    this.#float = shape.precision === 'fp16' ? 'float16' : 'float32';
  }

  write(): Buffer {
    const graph = this.#graph;
    const { kind, task, hidden, layers } = this.#shape;
    const ids = graph.input({ name: 'input_ids', type: 'int64', dims: AXES });
    const mask = graph.input({ name: 'attention_mask', type: 'int64', dims: AXES });
    const length = graph.node('Gather', [graph.node('Shape', [ids]), graph.integers([1])]);
    this.#writeAttentionBias(mask, length);

    let states = this.#embed(ids, length);
    for (let layer = 0; layer < layers; layer += 1) states = this.#layer(states, layer);
    if (kind === 'modernbert') states = this.#normalize(states);

    if (task === 'embedder') {
      graph.rename(this.#toFloat32(states), 'last_hidden_state');
      graph.output({ name: 'last_hidden_state', type: 'float32', dims: [...AXES, hidden] });
    } else {
      const first = graph.node('Gather', [states, graph.integers([0], [])], { axis: 1 });
      const pooled = graph.node('Tanh', [this.#dense(first, hidden, hidden, { quantized: false })]);
      const logits = this.#dense(pooled, hidden, 1, { quantized: false, gain: 2 });
      graph.rename(this.#toFloat32(logits), 'logits');
      graph.output({ name: 'logits', type: 'float32', dims: ['batch', 1] });
    }
    return graph.encode();
  }

  #writeAttentionBias(mask: string, length: string): void {
    const graph = this.#graph;
    const present = graph.node('Cast', [mask], { to: elementTypeNumber(this.#float) });
    const absent = graph.node('Sub', [this.#scalar(1), present]);
    const bias = graph.node('Mul', [absent, this.#scalar(LOWEST)]);
    this.#paddingBias = graph.node('Unsqueeze', [bias, graph.integers([1, 2])]);
    if (this.#shape.kind !== 'modernbert') return;

    const { maxPositions, hidden, heads } = this.#shape;
    const distances = Array.from({ length: maxPositions ** 2 }, (_, index) =>
      Math.abs((index % maxPositions) - Math.floor(index / maxPositions)) > LOCAL_WINDOW ? LOWEST : 0,
    );
    const window = this.#floats(distances, [maxPositions, maxPositions]);
    const both = graph.node('Concat', [length, length], { axis: 0 });
    const local = graph.node('Slice', [window, graph.integers([0, 0]), both, graph.integers([0, 1])]);
    this.#localBias = graph.node('Max', [
      graph.node('Add', [this.#paddingBias, local]),
      this.#scalar(LOWEST),
    ]);

    const size = hidden / heads;
    const table = (turn: (angle: number) => number): string => {
      const values = Array.from({ length: maxPositions * size }, (_, index) => {
        const frequency = ROTARY_BASE ** (-(2 * ((index % size) % (size / 2))) / size);
        return turn(Math.floor(index / size) * frequency);
      });
      return graph.node('Slice', [
        this.#floats(values, [maxPositions, size]),
        graph.integers([0]),
        length,
        graph.integers([0]),
      ]);
    };
    this.#rotary = { cosine: table(Math.cos), sine: table(Math.sin) };
  }

  #embed(ids: string, length: string): string {
    const graph = this.#graph;
    const { kind, hidden, vocabularySize, maxPositions, padId = 1 } = this.#shape;
    const words = graph.node('Gather', [this.#weights([vocabularySize, hidden], 1), ids]);
    if (kind === 'modernbert') return this.#normalize(words);
    if (kind === 'roberta') {
      const pad = graph.integers([padId], []);
      const real = graph.node('Cast', [graph.node('Not', [graph.node('Equal', [ids, pad])])], {
        to: elementTypeNumber('int64'),
      });
      const counted = graph.node('CumSum', [real, graph.integers([1], [])]);
      const positions = graph.node('Add', [graph.node('Mul', [counted, real]), pad]);
      const table = this.#weights([maxPositions + padId + 1, hidden], 0.3);
      return this.#normalize(graph.node('Add', [words, graph.node('Gather', [table, positions])]));
    }
    const types = graph.input({ name: 'token_type_ids', type: 'int64', dims: AXES });
    const positions = graph.node('Slice', [
      this.#weights([maxPositions, hidden], 0.3),
      graph.integers([0]),
      length,
      graph.integers([0]),
    ]);
    const kinds = graph.node('Gather', [this.#weights([2, hidden], 0.3), types]);
    return this.#normalize(graph.node('Add', [graph.node('Add', [words, kinds]), positions]));
  }

  #layer(states: string, layer: number): string {
    const graph = this.#graph;
    const { kind, hidden, intermediate } = this.#shape;
    if (kind === 'modernbert') {
      const attended = graph.node('Add', [states, this.#attention(this.#normalize(states), layer % 3 !== 0)]);
      const normal = this.#normalize(attended);
      const gate = this.#gelu(this.#dense(normal, hidden, intermediate, { bias: false }));
      const value = this.#dense(normal, hidden, intermediate, { bias: false });
      const gated = this.#dense(graph.node('Mul', [gate, value]), intermediate, hidden, { bias: false });
      return graph.node('Add', [attended, gated]);
    }
    const attended = this.#normalize(graph.node('Add', [this.#attention(states, false), states]));
    const inner = this.#gelu(this.#dense(attended, hidden, intermediate));
    return this.#normalize(graph.node('Add', [this.#dense(inner, intermediate, hidden), attended]));
  }

  #attention(states: string, local: boolean): string {
    const graph = this.#graph;
    const { hidden, heads, kind } = this.#shape;
    const size = hidden / heads;
    const bias = kind !== 'modernbert';
    const split = (value: string, order: readonly number[]): string =>
      graph.node('Transpose', [graph.node('Reshape', [value, graph.integers([0, 0, heads, size])])], {
        perm: order,
      });
    const project = (): string => this.#dense(states, hidden, hidden, { bias });
    let query = split(project(), [0, 2, 1, 3]);
    let key: string;
    if (this.#rotary === undefined) {
      key = split(project(), [0, 2, 3, 1]);
    } else {
      query = this.#rotate(query, size);
      key = graph.node('Transpose', [this.#rotate(split(project(), [0, 2, 1, 3]), size)], {
        perm: [0, 1, 3, 2],
      });
    }
    const value = split(project(), [0, 2, 1, 3]);
    const scores = graph.node('Div', [graph.node('MatMul', [query, key]), this.#scalar(Math.sqrt(size))]);
    const shares = graph.node(
      'Softmax',
      [graph.node('Add', [scores, local ? this.#localBias : this.#paddingBias])],
      { axis: -1 },
    );
    const mixed = graph.node('Transpose', [graph.node('MatMul', [shares, value])], { perm: [0, 2, 1, 3] });
    const joined = graph.node('Reshape', [mixed, graph.integers([0, 0, hidden])]);
    return this.#dense(joined, hidden, hidden, { bias });
  }

  #rotate(value: string, size: number): string {
    const graph = this.#graph;
    const { cosine, sine } = this.#rotary as { cosine: string; sine: string };
    const half = (from: number, to: number): string =>
      graph.node('Slice', [value, graph.integers([from]), graph.integers([to]), graph.integers([3])]);
    const turned = graph.node('Concat', [graph.node('Neg', [half(size / 2, size)]), half(0, size / 2)], {
      axis: 3,
    });
    return graph.node('Add', [graph.node('Mul', [value, cosine]), graph.node('Mul', [turned, sine])]);
  }

  #dense(
    input: string,
    from: number,
    to: number,
    { bias = true, quantized = true, gain = 1 }: { bias?: boolean; quantized?: boolean; gain?: number } = {},
  ): string {
    const values = this.#randoms(from * to, gain * Math.sqrt(3 / from));
    const product =
      quantized && this.#shape.precision === 'int8'
        ? this.#integerProduct(input, values, [from, to])
        : this.#graph.node('MatMul', [input, this.#floats(values, [from, to])]);
    if (!bias) return product;
    return this.#graph.node('Add', [product, this.#floats(this.#randoms(to, 0.02), [to])]);
  }

  /** Dynamic quantisation as onnxruntime's own tool writes it: activations in uint8, weights in int8. */
  #integerProduct(input: string, values: Float32Array, dims: readonly number[]): string {
    const graph = this.#graph;
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
    const weights = graph.constant({
      type: 'int8',
      dims,
      values: Int8Array.from(values, (value) => Math.round(value / scale)),
    });
    const zero = graph.constant({ type: 'int8', dims: [], values: new Int8Array(1) });
    const [quantized, inputScale, inputZero] = graph.nodeOutputs('DynamicQuantizeLinear', [input], 3) as [
      string,
      string,
      string,
    ];
    const product = graph.node('MatMulInteger', [quantized, weights, inputZero, zero]);
    const float = graph.node('Cast', [product], { to: elementTypeNumber('float32') });
    return graph.node('Mul', [float, graph.node('Mul', [inputScale, graph.floats([scale], [])])]);
  }

  #normalize(value: string): string {
    const { hidden } = this.#shape;
    const ones = this.#floats(new Float32Array(hidden).fill(1), [hidden]);
    const zeros = this.#floats(new Float32Array(hidden), [hidden]);
    return this.#graph.node('LayerNormalization', [value, ones, zeros], {
      axis: -1,
      epsilon: { float: 1e-12 },
    });
  }

  #gelu(value: string): string {
    const graph = this.#graph;
    const error = graph.node('Erf', [graph.node('Div', [value, this.#scalar(Math.SQRT2)])]);
    const shifted = graph.node('Add', [error, this.#scalar(1)]);
    return graph.node('Mul', [graph.node('Mul', [value, shifted]), this.#scalar(0.5)]);
  }

  #toFloat32(value: string): string {
    if (this.#float === 'float32') return value;
    return this.#graph.node('Cast', [value], { to: elementTypeNumber('float32') });
  }

  #scalar(value: number): string {
    return this.#floats([value], []);
  }

  #weights(dims: readonly number[], spread: number): string {
    return this.#floats(
      this.#randoms(
        dims.reduce((product, dim) => product * dim, 1),
        spread,
      ),
      dims,
    );
  }

  #floats(values: ArrayLike<number>, dims: readonly number[]): string {
    if (this.#float === 'float16') {
      return this.#graph.constant({ type: 'float16', dims, values: Uint16Array.from(values, toHalf) });
    }
    return this.#graph.constant({ type: 'float32', dims, values: Float32Array.from(values) });
  }

  /** Uniform from −spread to spread. */
  #randoms(count: number, spread: number): Float32Array {
    let state = this.#random;
    const values = new Float32Array(count);
    for (let i = 0; i < count; i += 1) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      values[i] = (state / 2 ** 31) * spread;
    }
    this.#random = state;
    return values;
  }
}

/** Low enough for a softmax at every precision. */
const LOWEST = -30_000;

/** Rounds to the nearest IEEE half; small enough values become zero. */
export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size === 0) return sign;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const fraction = Math.round(size * 2 ** (10 - exponent));
  return sign | (exponent === -14 && fraction < 1024 ? fraction : ((exponent + 14) << 10) + fraction);
}
