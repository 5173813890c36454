import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import type { Device } from '../config.js';
import { AppError } from '../errors.js';
import { readHalves } from './half-floats.js';

export type EngineDevice = Exclude<Device, 'auto'>;

/** Sequences that go through a model together, one after the other and unpadded. */
export interface SequenceBatch {
  ids: Int32Array;
  types: Uint8Array;
  lengths: Int32Array;
  /** Places per sequence after padding. */
  paddedLength: number;
}

export interface SessionOptions {
  path: string;
  device: EngineDevice;
  /** Threads within a run; only the CPU has a choice. */
  threads: number;
  padId: number;
  /** `logit`: one number per sequence; else how the hidden states become one vector. */
  output: 'logit' | 'mean' | 'cls' | 'none';
  /** Notes which provider ran each node, see `endProfiling`. */
  profilePrefix?: string;
}

export interface BatchOutcome {
  /** Per sequence 1 value for a logit, the dimensions for a vector (not yet of unit length). */
  values: Float32Array;
  /** What it took to fill the input tensors. */
  tensorMilliseconds: number;
}

/** One model on one device. `run` holds its thread until the run is over. */
export interface ModelSession {
  run(batch: SequenceBatch): Promise<BatchOutcome>;
  /** Writes the profile that `profilePrefix` asked for. */
  endProfiling(): void;
}

/** @throws AppError `unavailable` with the runtime's own words as cause */
export async function createModelSession(options: SessionOptions): Promise<ModelSession> {
  const session = await InferenceSession.create(options.path, sessionOptions(options)).catch(
    (cause: unknown) => {
      throw new AppError('unavailable', `The runtime cannot load the model: ${firstLine(cause)}`, { cause });
    },
  );
  const wanted = options.output === 'logit' ? 'logits' : 'last_hidden_state';
  const outputName = session.outputNames.includes(wanted) ? wanted : session.outputNames[0];
  if (outputName === undefined) throw new AppError('unavailable', 'The model has no output.');

  const buffers = new Map<string, BigInt64Array>();
  /** Runs follow one another, so each input's memory is used again instead of left to the collector. */
  const bufferFor: BufferFor = (name, size) => {
    let buffer = buffers.get(name);
    if (buffer === undefined || buffer.length < size) {
      buffer = new BigInt64Array(size);
      buffers.set(name, buffer);
    }
    return buffer.subarray(0, size);
  };

  return {
    async run(batch) {
      const start = performance.now();
      const feeds = toFeeds(session.inputNames, batch, options.padId, bufferFor);
      const tensorMilliseconds = performance.now() - start;
      const result = (await session.run(feeds, [outputName]))[outputName] as Tensor;
      const values = reduceOutput(toFloats(result), result.dims, batch, options.output);
      result.dispose();
      return { values, tensorMilliseconds };
    },
    endProfiling: () => session.endProfiling(),
  };
}

/** Devices that this build of the runtime knows, whether or not the machine has them. */
export function knownDevices(): string[] {
  return listSupportedBackends().map(({ name }) => name);
}

function sessionOptions({ device, threads, profilePrefix }: SessionOptions): InferenceSession.SessionOptions {
  return {
    executionProviders: [device],
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Shapes differ from run to run: remembered patterns and grown arenas would only hold memory.
    enableMemPattern: false,
    logSeverityLevel: 4,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    ...(profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: profilePrefix }),
  };
}

type BufferFor = (name: string, size: number) => BigInt64Array;

/** The inputs that the model wants; a 64-bit integer is written as its lower half, the upper stays zero. */
function toFeeds(
  inputNames: readonly string[],
  batch: SequenceBatch,
  padId: number,
  bufferFor: BufferFor,
): Record<string, Tensor> {
  const { ids, types, lengths, paddedLength } = batch;
  const dims = [lengths.length, paddedLength];
  const size = lengths.length * paddedLength;
  const feeds: Record<string, Tensor> = {};
  for (const name of inputNames) {
    const values = bufferFor(name, size);
    const lowHalves = new Int32Array(values.buffer, values.byteOffset, 2 * size);
    let from = 0;
    for (const [row, length] of lengths.entries()) {
      const start = row * paddedLength;
      for (let i = 0; i < paddedLength; i += 1) {
        const isReal = i < length;
        let value: number;
        if (name === 'input_ids') value = isReal ? (ids[from + i] as number) : padId;
        else if (name === 'attention_mask') value = isReal ? 1 : 0;
        else if (name === 'token_type_ids') value = isReal ? (types[from + i] as number) : 0;
        else throw new AppError('unavailable', `The model wants an input that we do not know: ${name}.`);
        lowHalves[2 * (start + i)] = value;
      }
      from += length;
    }
    feeds[name] = new Tensor('int64', values, dims);
  }
  return feeds;
}

function toFloats(tensor: Tensor): Float32Array {
  if (tensor.type === 'float32') return tensor.data as Float32Array;
  if (tensor.type === 'float16') {
    const { buffer, byteOffset, length } = tensor.data as Uint16Array;
    return readHalves(new Uint16Array(buffer, byteOffset, length));
  }
  throw new AppError('unavailable', `The model puts out ${tensor.type}, not floating-point numbers.`);
}

function reduceOutput(
  values: Float32Array,
  dims: readonly number[],
  { lengths, paddedLength }: SequenceBatch,
  output: SessionOptions['output'],
): Float32Array {
  const count = lengths.length;
  if (output === 'logit' || output === 'none') {
    if (output === 'logit' && values.length !== count) {
      throw new AppError(
        'unavailable',
        `The model puts out ${values.length / count} numbers for a pair, not 1.`,
      );
    }
    return values.slice();
  }
  const width = dims.at(-1) as number;
  const vectors = new Float32Array(count * width);
  for (const [row, length] of lengths.entries()) {
    const pooled = output === 'cls' ? 1 : length;
    const vector = vectors.subarray(row * width, (row + 1) * width);
    for (let position = 0; position < pooled; position += 1) {
      const from = (row * paddedLength + position) * width;
      for (let i = 0; i < width; i += 1) vector[i] = (vector[i] as number) + (values[from + i] as number);
    }
    for (let i = 0; i < width; i += 1) vector[i] = (vector[i] as number) / pooled;
  }
  return vectors;
}

/** The runtime's message without its paths and the condition that its source states. */
function firstLine(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return (message.split('\n')[0] as string)
    .replace(/^.* was false\. /, '')
    .replace(/\/\S*\//g, '')
    .slice(0, 300);
}
