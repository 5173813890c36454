/**
 * Writes ONNX models without a Python toolchain: just enough protocol buffers for graphs of our own making.
 * Field numbers are those of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
 */

const ELEMENT_TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const;

export type ElementType = keyof typeof ELEMENT_TYPES;

/** A constant of the graph; float16 comes as raw halves in a Uint16Array. */
export interface ConstantTensor {
  type: ElementType;
  dims: readonly number[];
  values: Float32Array | Uint16Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;
}

type Attribute = number | string | readonly number[] | { float: number };

export interface ValueInfo {
  name: string;
  type: ElementType;
  /** A string names a dynamic axis. */
  dims: readonly (number | string)[];
}

const OPSET_VERSION = 20;
const IR_VERSION = 9;

/** Collects nodes and constants; every method returns the name of the value it adds. */
export class OnnxGraph {
  readonly #nodes: Buffer[] = [];
  readonly #initializers: Buffer[] = [];
  readonly #inputs: Buffer[] = [];
  readonly #outputs: Buffer[] = [];
  #names = 0;

  input(info: ValueInfo): string {
    this.#inputs.push(bytesField(11, encodeValueInfo(info)));
    return info.name;
  }

  output(info: ValueInfo): void {
    this.#outputs.push(bytesField(12, encodeValueInfo(info)));
  }

  constant(tensor: ConstantTensor): string {
    const name = this.#newName('constant');
    const { values } = tensor;
    const raw = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    this.#initializers.push(
      bytesField(
        5,
        Buffer.concat([
          ...tensor.dims.map((dim) => varintField(1, dim)),
          varintField(2, ELEMENT_TYPES[tensor.type]),
          stringField(8, name),
          bytesField(9, raw),
        ]),
      ),
    );
    return name;
  }

  floats(values: readonly number[], dims: readonly number[] = [values.length]): string {
    return this.constant({ type: 'float32', dims, values: Float32Array.from(values) });
  }

  integers(values: readonly number[], dims: readonly number[] = [values.length]): string {
    return this.constant({ type: 'int64', dims, values: BigInt64Array.from(values.map(BigInt)) });
  }

  /** A node with one output. */
  node(type: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    return this.nodeOutputs(type, inputs, 1, attributes)[0] as string;
  }

  nodeOutputs(
    type: string,
    inputs: readonly string[],
    outputCount: number,
    attributes: Record<string, Attribute> = {},
  ): string[] {
    const outputs = Array.from({ length: outputCount }, () => this.#newName(type));
    this.#addNode(type, inputs, outputs, attributes);
    return outputs;
  }

  /** Gives a value the name under which the graph puts it out. */
  rename(value: string, name: string): void {
    this.#addNode('Identity', [value], [name], {});
  }

  /** The bytes of the `.onnx` file. */
  encode(): Buffer {
    const graph = Buffer.concat([
      ...this.#nodes,
      stringField(2, 'graph'),
      ...this.#initializers,
      ...this.#inputs,
      ...this.#outputs,
    ]);
    return Buffer.concat([
      varintField(1, IR_VERSION),
      stringField(2, 'askbase-onnx-writer'),
      bytesField(7, graph),
      bytesField(8, varintField(2, OPSET_VERSION)),
    ]);
  }

  #addNode(
    type: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Record<string, Attribute>,
  ): void {
    this.#nodes.push(
      bytesField(
        1,
        Buffer.concat([
          ...inputs.map((name) => stringField(1, name)),
          ...outputs.map((name) => stringField(2, name)),
          stringField(3, this.#newName('node')),
          stringField(4, type),
          ...Object.entries(attributes).map(([name, value]) => bytesField(5, encodeAttribute(name, value))),
        ]),
      ),
    );
  }

  #newName(stem: string): string {
    this.#names += 1;
    return `${stem}_${this.#names}`;
  }
}

/** Name of ONNX's number for an element type, for `Cast`. */
export function elementTypeNumber(type: ElementType): number {
  return ELEMENT_TYPES[type];
}

function encodeAttribute(name: string, value: Attribute): Buffer {
  const head = stringField(1, name);
  if (typeof value === 'number') return Buffer.concat([head, varintField(3, value), varintField(20, 2)]);
  if (typeof value === 'string') return Buffer.concat([head, stringField(4, value), varintField(20, 3)]);
  if ('float' in value) return Buffer.concat([head, floatField(2, value.float), varintField(20, 1)]);
  return Buffer.concat([head, ...value.map((item) => varintField(8, item)), varintField(20, 7)]);
}

function encodeValueInfo({ name, type, dims }: ValueInfo): Buffer {
  const shape = Buffer.concat(
    dims.map((dim) => bytesField(1, typeof dim === 'number' ? varintField(1, dim) : stringField(2, dim))),
  );
  const tensorType = Buffer.concat([varintField(1, ELEMENT_TYPES[type]), bytesField(2, shape)]);
  return Buffer.concat([stringField(1, name), bytesField(2, bytesField(1, tensorType))]);
}

function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Buffer.from(bytes);
}

function varintField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | 5), bytes]);
}

function bytesField(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

function stringField(field: number, text: string): Buffer {
  return bytesField(field, Buffer.from(text, 'utf8'));
}
