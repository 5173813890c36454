import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importModel } from '../src/inference/model-import.js';
import { TINY_RERANKER, tinyVocabularySize, writeTinyModels } from '../test/support/tiny-models.js';
import { MINILM_L6, type TransformerShape, writeTransformer } from '../test/support/transformer-model.js';

/** The model of the bench: MiniLM-L6's shape with pseudo-random weights, since only the arithmetic is timed. */
export const BENCH_SHAPE = { kind: 'bert', ...MINILM_L6 } as const;

const FILES = { fp32: 'model.onnx', int8: 'model_quantized.onnx' } as const;

/**
 * Writes `minilm-fp32/` and `minilm-int8/` in the Hugging Face layout with the manifest of a model folder, so that
 * the peers read the very same files.
 */
export async function writeBenchModels(modelsDir: string): Promise<void> {
  const scratch = join(modelsDir, 'scratch');
  writeTinyModels(scratch);
  for (const precision of ['fp32', 'int8'] as const) {
    const name = `minilm-${precision}`;
    const dir = join(modelsDir, name);
    mkdirSync(join(dir, 'onnx'), { recursive: true });
    cpSync(join(scratch, TINY_RERANKER, 'tokenizer.json'), join(dir, 'tokenizer.json'));
    writeJson(join(dir, 'tokenizer_config.json'), {
      tokenizer_class: 'BertTokenizer',
      model_max_length: 512,
      pad_token: '[PAD]',
      unk_token: '[UNK]',
      cls_token: '[CLS]',
      sep_token: '[SEP]',
      mask_token: '[MASK]',
    });
    writeJson(join(dir, 'config.json'), {
      architectures: ['BertForSequenceClassification'],
      model_type: 'bert',
      hidden_size: BENCH_SHAPE.hidden,
      max_position_embeddings: BENCH_SHAPE.maxPositions,
      id2label: { 0: 'LABEL_0' },
    });
    const shape: TransformerShape = {
      ...BENCH_SHAPE,
      task: 'reranker',
      precision,
      vocabularySize: tinyVocabularySize(),
    };
    writeFileSync(join(dir, 'onnx', FILES[precision]), writeTransformer(shape));
    await importModel(dir, { name, license: 'MIT', source: 'pseudo-random weights' });
  }
}

/** Multiplications and additions that a sequence of that length needs, without padding: 2 per weight and token. */
export function usefulOperations(length: number): number {
  const { layers, hidden, intermediate } = BENCH_SHAPE;
  const products = 2 * (4 * hidden * hidden + 2 * hidden * intermediate);
  const attention = 2 * 2 * length * hidden;
  return layers * length * (products + attention);
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value)}\n`);
}
