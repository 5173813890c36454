import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { elementTypeNumber, OnnxGraph } from './onnx-writer.js';

export const TINY_EMBEDDER = 'tiny-embed';
export const TINY_RERANKER = 'tiny-rerank';
export const TINY_DIMENSIONS = 128;

/**
 * Two models small enough to write before each test and sensible enough to assert the order of relevance.
 *
 * Both share one tokenizer: Latin words fall into pieces of three letters, Chinese into single characters.
 * `tiny-embed` (an embedder, mean pooling) gives each piece a fixed pseudo-random vector times the weight of the
 * piece, so the cosine of two texts grows with the pieces they share. `tiny-rerank` (a reranker) gives the logit
 * 12 × (weight of the question's pieces that stand in the passage / weight of all of them) − 4: all of them 8,
 * none −4, and the sigmoid passes 0.5 at a third. Function words, word ends and punctuation weigh little.
 *
 * @param modelsDir folder that gets `tiny-embed/` and `tiny-rerank/`, made where missing
 */
export function writeTinyModels(modelsDir: string): void {
  const vocabulary = tinyVocabulary();
  const tokenizer = Buffer.from(JSON.stringify(tokenizerJson(vocabulary)));
  const weights = Float32Array.from(vocabulary, pieceWeight);
  writeModel(join(modelsDir, TINY_EMBEDDER), tokenizer, embedderGraph(weights), {
    name: TINY_EMBEDDER,
    kind: 'embedder',
    dimensions: TINY_DIMENSIONS,
    pooling: 'mean',
    queryPrefix: '',
    passagePrefix: '',
    golden: {
      tolerance: { fp32: 0.001 },
      texts: GOLDEN_TEXTS.map((text) => ({
        text,
        kind: 'query',
        vector: { fp32: [...embedText(text, vocabulary, weights).subarray(0, 8)] },
      })),
    },
  });
  writeModel(join(modelsDir, TINY_RERANKER), tokenizer, rerankerGraph(weights), {
    name: TINY_RERANKER,
    kind: 'reranker',
    threshold: 0.5,
    golden: {
      tolerance: { fp32: 0.001 },
      pairs: GOLDEN_TEXTS.map((passage) => ({
        query: GOLDEN_QUERY,
        passage,
        logit: { fp32: overlapLogit(GOLDEN_QUERY, passage, vocabulary, weights) },
      })),
    },
  });
}

const GOLDEN_QUERY = 'return the broken kettle';
const GOLDEN_TEXTS = ['broken kettle', 'invoices', 'return the broken kettle within thirty days'];

const SPECIAL_PIECES = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const UNKNOWN_ID = 1;
const CLS_ID = 2;
const SEP_ID = 3;
/** A prime, so that neighbouring ids spread over all rows. */
const VECTOR_ROWS = 8191;
const ROW_STEP = 40_503;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~，。！？、；：（）《》“”‘’…—·￥°';
const LIGHT_PIECES = new Set([
  ...'的了是吗呢吧啊我你您他们这那个么什怎样么哪在有和与就都也不要能可以会想请问为到对把被给上下着过之其此'.split(
    '',
  ),
  ...'a i is it to of in on at my me do be am an or if as by we so no us the and are you can how for was may'.split(
    ' ',
  ),
  ...'wha whe who why wit thi tha hav has doe did not wil sho wou cou any get ##uld'.split(' '),
  ...PUNCTUATION.split(''),
]);

/** Ids of the shared tokenizer, for models of other shapes that use it. */
export function tinyVocabularySize(): number {
  return tinyVocabulary().length;
}

function tinyVocabulary(): string[] {
  const letters = LETTERS.split('');
  const pairs = letters.flatMap((first) => letters.map((second) => first + second));
  const triples = pairs.flatMap((pair) => letters.map((third) => pair + third));
  const latin = [...letters, ...pairs, ...triples, ...'0123456789'.split('')];
  const han = Array.from({ length: 0x9fff - 0x4e00 + 1 }, (_, index) => String.fromCodePoint(0x4e00 + index));
  return [
    ...SPECIAL_PIECES,
    ...PUNCTUATION.split(''),
    ...latin,
    ...latin.map((piece) => `##${piece}`),
    ...han,
  ];
}

function pieceWeight(piece: string, id: number): number {
  if (id < SPECIAL_PIECES.length) return 0.001;
  const endsWord = piece.startsWith('##') && piece.length < 5;
  return LIGHT_PIECES.has(piece) || endsWord ? 0.05 : 1;
}

function tokenizerJson(vocabulary: readonly string[]): unknown {
  const special = (id: string, typeId: number) => ({ SpecialToken: { id, type_id: typeId } });
  const sequence = (id: string, typeId: number) => ({ Sequence: { id, type_id: typeId } });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_PIECES.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)],
      pair: [
        special('[CLS]', 0),
        sequence('A', 0),
        special('[SEP]', 0),
        sequence('B', 1),
        special('[SEP]', 1),
      ],
      special_tokens: {
        '[CLS]': { id: '[CLS]', ids: [CLS_ID], tokens: ['[CLS]'] },
        '[SEP]': { id: '[SEP]', ids: [SEP_ID], tokens: ['[SEP]'] },
      },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((piece, id) => [piece, id])),
    },
  };
}

/** Rows of pseudo-random components from −1 to 1, always the same (the generator is Marsaglia's xorshift32). */
function pieceVectors(): Float32Array {
  let state = 20_251_121;
  return Float32Array.from({ length: VECTOR_ROWS * TINY_DIMENSIONS }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  });
}

const BATCH_BY_SEQUENCE = ['batch', 'sequence'] as const;

function embedderGraph(weights: Float32Array): Buffer {
  const graph = new OnnxGraph();
  const ids = graph.input({ name: 'input_ids', type: 'int64', dims: BATCH_BY_SEQUENCE });
  const mask = graph.input({ name: 'attention_mask', type: 'int64', dims: BATCH_BY_SEQUENCE });
  const rows = graph.node('Mod', [
    graph.node('Mul', [ids, graph.integers([ROW_STEP], [])]),
    graph.integers([VECTOR_ROWS], []),
  ]);
  const table = graph.constant({
    type: 'float32',
    dims: [VECTOR_ROWS, TINY_DIMENSIONS],
    values: pieceVectors(),
  });
  const vectors = graph.node('Gather', [table, rows]);
  const weight = graph.node('Mul', [gatherWeights(graph, weights, ids), toFloat(graph, mask)]);
  const hidden = graph.node('Mul', [vectors, graph.node('Unsqueeze', [weight, graph.integers([2])])]);
  graph.rename(hidden, 'last_hidden_state');
  graph.output({ name: 'last_hidden_state', type: 'float32', dims: [...BATCH_BY_SEQUENCE, TINY_DIMENSIONS] });
  return graph.encode();
}

function rerankerGraph(weights: Float32Array): Buffer {
  const graph = new OnnxGraph();
  const ids = graph.input({ name: 'input_ids', type: 'int64', dims: BATCH_BY_SEQUENCE });
  const mask = toFloat(
    graph,
    graph.input({ name: 'attention_mask', type: 'int64', dims: BATCH_BY_SEQUENCE }),
  );
  const types = graph.input({ name: 'token_type_ids', type: 'int64', dims: BATCH_BY_SEQUENCE });
  const notSpecial = toFloat(graph, graph.node('Greater', [ids, graph.integers([SEP_ID], [])]));
  const inPassage = graph.node('Mul', [graph.node('Mul', [toFloat(graph, types), mask]), notSpecial]);
  const inQuestion = graph.node('Mul', [
    graph.node('Mul', [graph.node('Sub', [graph.floats([1], []), toFloat(graph, types)]), mask]),
    notSpecial,
  ]);
  const weight = graph.node('Mul', [gatherWeights(graph, weights, ids), inQuestion]);
  const same = toFloat(
    graph,
    graph.node('Equal', [
      graph.node('Unsqueeze', [ids, graph.integers([2])]),
      graph.node('Unsqueeze', [ids, graph.integers([1])]),
    ]),
  );
  const matches = graph.node('Mul', [same, graph.node('Unsqueeze', [inPassage, graph.integers([1])])]);
  const covered = graph.node('ReduceMax', [matches, graph.integers([2])], { keepdims: 0 });
  const sum = (value: string): string =>
    graph.node('ReduceSum', [value, graph.integers([1])], { keepdims: 1 });
  const share = graph.node('Div', [
    sum(graph.node('Mul', [weight, covered])),
    graph.node('Add', [sum(weight), graph.floats([1e-6], [])]),
  ]);
  const logits = graph.node('Add', [
    graph.node('Mul', [share, graph.floats([OVERLAP_SLOPE], [])]),
    graph.floats([OVERLAP_OFFSET], []),
  ]);
  graph.rename(logits, 'logits');
  graph.output({ name: 'logits', type: 'float32', dims: ['batch', 1] });
  return graph.encode();
}

const OVERLAP_SLOPE = 12;
const OVERLAP_OFFSET = -4;

function toFloat(graph: OnnxGraph, value: string): string {
  return graph.node('Cast', [value], { to: elementTypeNumber('float32') });
}

function gatherWeights(graph: OnnxGraph, weights: Float32Array, ids: string): string {
  const table = graph.constant({ type: 'float32', dims: [weights.length], values: weights });
  return graph.node('Gather', [table, ids]);
}

/** Enough of the tokenizer for the golden texts: lower-case Latin words. */
function pieceIds(text: string, vocabulary: readonly string[]): number[] {
  return text.split(' ').flatMap((word) =>
    (word.match(/.{1,3}/g) ?? []).map((piece, index) => {
      const id = vocabulary.indexOf(index === 0 ? piece : `##${piece}`);
      return id === -1 ? UNKNOWN_ID : id;
    }),
  );
}

function embedText(text: string, vocabulary: readonly string[], weights: Float32Array): Float32Array {
  const table = pieceVectors();
  const vector = new Float32Array(TINY_DIMENSIONS);
  for (const id of [CLS_ID, ...pieceIds(text, vocabulary), SEP_ID]) {
    const row = ((id * ROW_STEP) % VECTOR_ROWS) * TINY_DIMENSIONS;
    for (let i = 0; i < TINY_DIMENSIONS; i += 1) {
      vector[i] = (vector[i] as number) + (table[row + i] as number) * (weights[id] as number);
    }
  }
  const norm = Math.hypot(...vector);
  return vector.map((component) => component / norm);
}

function overlapLogit(
  question: string,
  passage: string,
  vocabulary: readonly string[],
  weights: Float32Array,
): number {
  const inPassage = new Set(pieceIds(passage, vocabulary));
  const ids = pieceIds(question, vocabulary);
  const weigh = (some: readonly number[]): number =>
    some.reduce((sum, id) => sum + (weights[id] as number), 0);
  return (OVERLAP_SLOPE * weigh(ids.filter((id) => inPassage.has(id)))) / weigh(ids) + OVERLAP_OFFSET;
}

function writeModel(dir: string, tokenizer: Buffer, graph: Buffer, manifest: Record<string, unknown>): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'tokenizer.json'), tokenizer);
  writeFileSync(join(dir, 'model.fp32.onnx'), graph);
  const whole = {
    schemaVersion: 1,
    license: 'MIT',
    source: 'written by the tests',
    maxLength: 512,
    tokenizer: { path: 'tokenizer.json', sha256: sha256(tokenizer) },
    files: [{ path: 'model.fp32.onnx', precision: 'fp32', bytes: graph.length, sha256: sha256(graph) }],
    ...manifest,
  };
  writeFileSync(join(dir, 'manifest.json'), `${JSON.stringify(whole, null, 2)}\n`);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
