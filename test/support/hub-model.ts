import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TransformerShape, writeTransformer } from './transformer-model.js';

interface HubModelOptions {
  kind: TransformerShape['kind'];
  task?: TransformerShape['task'];
  precisions?: readonly TransformerShape['precision'][];
}

const KINDS = {
  bert: {
    tokenizer: 'bert',
    padId: 0,
    classifier: 'BertForSequenceClassification',
    encoder: 'BertModel',
    type: 'bert',
  },
  roberta: {
    tokenizer: 'xlm-roberta',
    padId: 1,
    classifier: 'XLMRobertaForSequenceClassification',
    encoder: 'XLMRobertaModel',
    type: 'xlm-roberta',
  },
  modernbert: {
    tokenizer: 'modernbert',
    padId: 5,
    classifier: 'ModernBertForSequenceClassification',
    encoder: 'ModernBertModel',
    type: 'modernbert',
  },
} as const;

const FILE_NAMES = { fp32: 'model.onnx', fp16: 'model_fp16.onnx', int8: 'model_int8.onnx' } as const;
const VOCABULARY = 2100;
const SHAPE = { layers: 2, hidden: 32, heads: 4, intermediate: 64, maxPositions: 160 };

/** A model with pseudo-random weights in the layout that hubs have: config.json, tokenizer.json, onnx/. */
export function writeHubModel(dir: string, options: HubModelOptions): void {
  const { kind, task = 'reranker', precisions = ['fp32'] } = options;
  const facts = KINDS[kind];
  mkdirSync(join(dir, 'onnx'), { recursive: true });
  const fixture = new URL(`../fixtures/tokenizers/${facts.tokenizer}.json`, import.meta.url);
  const { tokenizer } = JSON.parse(readFileSync(fixture, 'utf8')) as { tokenizer: object };
  writeJson(join(dir, 'tokenizer.json'), tokenizer);
  writeJson(join(dir, 'tokenizer_config.json'), { model_max_length: 128 });
  writeJson(join(dir, 'config.json'), {
    architectures: [task === 'reranker' ? facts.classifier : facts.encoder],
    model_type: facts.type,
    hidden_size: SHAPE.hidden,
    max_position_embeddings: SHAPE.maxPositions,
    ...(task === 'reranker' ? { id2label: { 0: 'LABEL_0' } } : {}),
  });
  for (const precision of precisions) {
    const shape = { kind, task, precision, vocabularySize: VOCABULARY, padId: facts.padId, ...SHAPE };
    writeFileSync(join(dir, 'onnx', FILE_NAMES[precision]), writeTransformer(shape));
  }
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value)}\n`);
}
