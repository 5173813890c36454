import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../errors.js';
import { createPassageIdCache, preparePairs, prepareTexts, toUnitVector } from './model-input.js';
import {
  type EmbedderManifest,
  type ModelFile,
  type ModelManifest,
  modelManifestSchema,
  type Precision,
  type RerankerManifest,
  sha256OfFile,
} from './model-manifest.js';
import { createModelSession, type ModelSession } from './onnx-session.js';
import type { TokenSequence } from './tokenizer/sequence-template.js';
import { createTextTokenizer, type TextTokenizer } from './tokenizer/text-tokenizer.js';

/** Longer inputs are slow on a CPU, and long passages are read in windows anyway. */
const MAX_LENGTH = 512;

const configSchema = z.looseObject({
  architectures: z.array(z.string()).default([]),
  hidden_size: z.number().int().optional(),
  num_labels: z.number().int().optional(),
  id2label: z.record(z.string(), z.unknown()).optional(),
  max_position_embeddings: z.number().int().optional(),
  model_type: z.string().optional(),
});
const poolingSchema = z.looseObject({ pooling_mode_cls_token: z.boolean().default(false) });
const promptsSchema = z.looseObject({
  prompts: z
    .looseObject({
      query: z.string().optional(),
      document: z.string().optional(),
      passage: z.string().optional(),
    })
    .default({}),
});
const tokenizerConfigSchema = z.looseObject({ model_max_length: z.number().optional() });

export interface ImportOptions {
  name: string;
  license: string;
  source: string;
  onStep?: (step: string) => void;
}

/**
 * Makes a model folder out of one in the Hugging Face layout (`config.json`, `tokenizer.json`, ONNX files): reads
 * what the model is, hashes its files, computes golden pairs on the CPU, and writes `manifest.json`.
 *
 * @throws AppError `invalid` when something is missing or not understood
 */
export async function importModel(modelDir: string, options: ImportOptions): Promise<ModelManifest> {
  const config = await readJson(modelDir, 'config.json', configSchema);
  if (config === undefined) throw new AppError('invalid', 'The folder has no config.json.');
  const tokenizerJson = await readJson(modelDir, 'tokenizer.json', z.looseObject({}));
  if (tokenizerJson === undefined) {
    throw new AppError('invalid', 'The folder has no tokenizer.json; older tokenizer files are not read.');
  }
  const tokenizer = createTextTokenizer(tokenizerJson);
  options.onStep?.('hashing the files');
  const files = await findModelFiles(modelDir);
  const common = {
    schemaVersion: 1 as const,
    name: options.name,
    license: options.license,
    source: options.source,
    maxLength: await maxLengthOf(modelDir, config),
    tokenizer: { path: 'tokenizer.json', sha256: await sha256OfFile(join(modelDir, 'tokenizer.json')) },
    files,
  };
  const draft: ModelManifest = config.architectures.some((name) => name.endsWith('ForSequenceClassification'))
    ? rerankerDraft(common, config)
    : await embedderDraft(common, config, modelDir);

  options.onStep?.('computing golden pairs');
  const manifest = modelManifestSchema.parse(await withGolden(draft, modelDir, tokenizer));
  await writeFile(join(modelDir, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

type Common = Omit<RerankerManifest, 'kind' | 'threshold' | 'golden'>;
type HubConfig = z.infer<typeof configSchema>;

function rerankerDraft(common: Common, config: HubConfig): RerankerManifest {
  const labels = config.num_labels ?? Object.keys(config.id2label ?? { 0: '' }).length;
  if (labels !== 1) {
    throw new AppError('invalid', `The model sorts into ${labels} classes; a reranker gives one number.`);
  }
  return { ...common, kind: 'reranker', threshold: 0.5 };
}

async function embedderDraft(common: Common, config: HubConfig, modelDir: string): Promise<EmbedderManifest> {
  if (config.hidden_size === undefined) {
    throw new AppError('invalid', 'config.json does not say its hidden_size.');
  }
  const pooling = await readJson(modelDir, '1_Pooling/config.json', poolingSchema);
  const sentence = await readJson(modelDir, 'config_sentence_transformers.json', promptsSchema);
  const { query, document, passage } = sentence?.prompts ?? {};
  return {
    ...common,
    kind: 'embedder',
    dimensions: config.hidden_size,
    pooling: pooling?.pooling_mode_cls_token === true ? 'cls' : 'mean',
    queryPrefix: query ?? '',
    passagePrefix: document ?? passage ?? '',
  };
}

/** RoBERTa's positions begin behind the padding id, so two of them are no places. */
async function maxLengthOf(modelDir: string, config: HubConfig): Promise<number> {
  const tokenizerConfig = await readJson(modelDir, 'tokenizer_config.json', tokenizerConfigSchema);
  const positions = config.max_position_embeddings ?? MAX_LENGTH;
  const places = /roberta/.test(config.model_type ?? '') ? positions - 2 : positions;
  return Math.min(MAX_LENGTH, places, tokenizerConfig?.model_max_length ?? MAX_LENGTH);
}

/** Which precision a file of the usual names holds; null for files that we do not use. */
export function precisionOfFile(path: string): Precision | null {
  const name = path.split('/').at(-1) as string;
  if (/^model([._]fp32)?\.onnx$/.test(name)) return 'fp32';
  if (/^model[._]fp16\.onnx$/.test(name)) return 'fp16';
  if (/^model[._](int8|quantized|q?u?int8[\w]*)\.onnx$/.test(name)) return 'int8';
  return null;
}

/** Whether a file holds weights of that graph: `model.onnx_data`, `model.onnx_data_1`, `model.onnx.data`. */
export function isExternalDataOf(path: string, graphPath: string): boolean {
  return path.startsWith(`${graphPath}_data`) || path.startsWith(`${graphPath}.data`);
}

async function findModelFiles(modelDir: string): Promise<ModelFile[]> {
  const entries = await readdir(modelDir, { recursive: true });
  const paths = entries.map((path) => path.replaceAll('\\', '/')).sort();
  const files = new Map<Precision, ModelFile>();
  for (const path of paths) {
    const precision = precisionOfFile(path);
    if (precision === null || files.has(precision)) continue;
    const external = await Promise.all(
      paths.filter((other) => isExternalDataOf(other, path)).map((other) => describeFile(modelDir, other)),
    );
    files.set(precision, {
      ...(await describeFile(modelDir, path)),
      precision,
      ...(external.length === 0 ? {} : { external }),
    });
  }
  if (files.size === 0) {
    throw new AppError(
      'invalid',
      'The folder has no ONNX file (model.onnx, model_fp16.onnx, model_int8.onnx).',
    );
  }
  return [...files.values()];
}

async function describeFile(
  modelDir: string,
  path: string,
): Promise<{ path: string; bytes: number; sha256: string }> {
  const { size } = await stat(join(modelDir, path));
  return { path, bytes: size, sha256: await sha256OfFile(join(modelDir, path)) };
}

const GOLDEN_PAIRS = [
  { query: 'How long may I return an item?', passage: 'Items can be returned within 30 days of delivery.' },
  { query: 'How long may I return an item?', passage: 'The battery holds for about ten hours.' },
  { query: '多久可以退货？', passage: '签收后七天内可以无理由退货。' },
  { query: '多久可以退货？', passage: '电池可以使用大约十个小时。' },
];
const GOLDEN_TEXTS = [
  { text: 'How long may I return an item?', kind: 'query' as const },
  { text: 'Items can be returned within 30 days of delivery.', kind: 'passage' as const },
  { text: '多久可以退货？', kind: 'query' as const },
  { text: '签收后七天内可以无理由退货。', kind: 'passage' as const },
];
const TOLERANCE = { fp32: 0.001, fp16: 0.03, int8: 0.1 };
const VECTOR_HEAD = 8;

async function withGolden(
  draft: ModelManifest,
  modelDir: string,
  tokenizer: TextTokenizer,
): Promise<ModelManifest> {
  const input = { tokenizer, cache: createPassageIdCache(1e6) };
  const results = new Map<Precision, number[][]>();
  const sequences: TokenSequence[] =
    draft.kind === 'reranker'
      ? (
          await Promise.all(
            GOLDEN_PAIRS.map(({ query, passage }) => preparePairs(query, [passage], draft, input)),
          )
        ).map((pair) => pair.sequences[0] as TokenSequence)
      : (
          await Promise.all(GOLDEN_TEXTS.map(({ text, kind }) => prepareTexts([text], kind, draft, input)))
        ).map((texts) => texts[0] as TokenSequence);

  for (const file of draft.files) {
    const session = await createModelSession({
      path: join(modelDir, file.path),
      device: 'cpu',
      threads: 0,
      padId: tokenizer.padId,
      output: draft.kind === 'reranker' ? 'logit' : draft.pooling,
    });
    const values: number[][] = [];
    for (const sequence of sequences) {
      const output = await runOne(session, sequence);
      if (draft.kind === 'embedder' && output.length !== draft.dimensions) {
        throw new AppError('invalid', `The model gives ${output.length} numbers, not ${draft.dimensions}.`);
      }
      values.push(
        draft.kind === 'reranker' ? [...output] : [...toUnitVector(output).subarray(0, VECTOR_HEAD)],
      );
    }
    results.set(file.precision, values);
  }

  const byPrecision = <Value>(pick: (values: number[][]) => Value): Partial<Record<Precision, Value>> =>
    Object.fromEntries([...results].map(([precision, values]) => [precision, pick(values)]));
  const tolerance = TOLERANCE;
  if (draft.kind === 'reranker') {
    const pairs = GOLDEN_PAIRS.map((pair, index) => ({
      ...pair,
      logit: byPrecision((values) => values[index]?.[0] as number),
    }));
    return { ...draft, golden: { tolerance, pairs } };
  }
  const texts = GOLDEN_TEXTS.map((text, index) => ({
    ...text,
    vector: byPrecision((values) => values[index] as number[]),
  }));
  return { ...draft, golden: { tolerance, texts } };
}

async function runOne(session: ModelSession, { ids, types }: TokenSequence): Promise<Float32Array> {
  const batch = { ids, types, lengths: Int32Array.of(ids.length), paddedLength: ids.length };
  return (await session.run(batch)).values;
}

async function readJson<Schema extends z.ZodType>(
  modelDir: string,
  path: string,
  schema: Schema,
): Promise<z.output<Schema> | undefined> {
  const text = await readFile(join(modelDir, path), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('invalid', `The model's ${path} is not understood.`, { cause });
  }
}
