import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { AppError } from '../errors.js';
import { lexicalWeightSchema } from '../rerank/lexical-weight.js';
import { thresholdSchema } from '../rerank/threshold.js';

export const PRECISIONS = ['fp32', 'fp16', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in lower-case hex');
/** A file name inside the model's folder: nothing that leads out of it. */
const fileNameSchema = z
  .string()
  .regex(/^(?!.*\.\.)[\w][\w.-]*(\/[\w][\w.-]*)*$/, 'must be a relative path inside the model folder');
const byPrecision = <Value extends z.ZodType>(value: Value) => z.partialRecord(z.enum(PRECISIONS), value);

/** A model's name is its folder's. */
export const modelNameSchema = z.string().regex(/^[\w][\w.-]*$/, 'must be a folder name');

const common = {
  schemaVersion: z.literal(1),
  name: modelNameSchema,
  license: z.string().min(1),
  source: z.string().min(1),
  /** Tokens, special tokens included. */
  maxLength: z.number().int().min(8),
  tokenizer: z.strictObject({ path: fileNameSchema, sha256: sha256Schema }),
  files: z
    .array(
      z.strictObject({
        path: fileNameSchema,
        precision: z.enum(PRECISIONS),
        bytes: z.number().int().min(1),
        sha256: sha256Schema,
        /** Weights that stand beside the graph (`model.onnx_data`), loaded by it. */
        external: z
          .array(
            z.strictObject({ path: fileNameSchema, bytes: z.number().int().min(1), sha256: sha256Schema }),
          )
          .optional(),
      }),
    )
    .min(1),
};
/** Absolute: on the logit, or on each component of the unit vector. */
const toleranceSchema = byPrecision(z.number().positive());

/** `AnswerabilityModel` of rerank/answerability.ts. */
const answerabilitySchema = z.strictObject({
  intercept: z.number(),
  weights: z.strictObject({
    logit: z.number(),
    lead: z.number(),
    cosine: z.number(),
    cosineLead: z.number(),
    coverage: z.number(),
    /** These came later: a model that was fitted without them does not look at them. */
    lexical: z.number().default(0),
    lexicalPerTerm: z.number().default(0),
    identifiers: z.number().default(0),
  }),
  threshold: z.number().min(0).max(1),
});

const rerankerManifestSchema = z.strictObject({
  ...common,
  kind: z.literal('reranker'),
  /** Cut on the sigmoid: one for all, or one per language of the question. */
  threshold: thresholdSchema.default(0.5),
  /** By language of the question; `askbase calibrate` writes it. */
  answerability: z
    .strictObject({ en: answerabilitySchema.optional(), zh: answerabilitySchema.optional() })
    .optional(),
  /** What a unit of the lexical score adds to the logit when candidates are put in order. */
  lexicalWeight: lexicalWeightSchema.optional(),
  golden: z
    .strictObject({
      tolerance: toleranceSchema,
      pairs: z.array(
        z.strictObject({ query: z.string(), passage: z.string(), logit: byPrecision(z.number()) }),
      ),
    })
    .optional(),
});

const embedderManifestSchema = z.strictObject({
  ...common,
  kind: z.literal('embedder'),
  dimensions: z.number().int().min(1),
  /** `none`: the graph's first output already is [batch, dimensions]. */
  pooling: z.enum(['mean', 'cls', 'none']),
  queryPrefix: z.string().default(''),
  passagePrefix: z.string().default(''),
  golden: z
    .strictObject({
      tolerance: toleranceSchema,
      texts: z.array(
        z.strictObject({
          text: z.string(),
          kind: z.enum(['query', 'passage']),
          /** The first components of the unit vector. */
          vector: byPrecision(z.array(z.number()).min(1)),
        }),
      ),
    })
    .optional(),
});

/** `models/<name>/manifest.json`: what a model is, what its files must hash to, what it must compute. */
export const modelManifestSchema = z.discriminatedUnion('kind', [
  rerankerManifestSchema,
  embedderManifestSchema,
]);

export type ModelManifest = z.infer<typeof modelManifestSchema>;
export type RerankerManifest = z.infer<typeof rerankerManifestSchema>;
export type EmbedderManifest = z.infer<typeof embedderManifestSchema>;
export type ModelKind = ModelManifest['kind'];
export type ModelFile = ModelManifest['files'][number];

/** @throws AppError `unavailable` when the folder holds no readable, valid manifest */
export async function readModelManifest(modelDir: string): Promise<ModelManifest> {
  const path = join(modelDir, 'manifest.json');
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AppError('unavailable', 'The model has no manifest.json: it is not installed.', { cause });
  });
  try {
    return modelManifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    const detail = cause instanceof z.ZodError ? z.prettifyError(cause) : 'it is not JSON';
    throw new AppError('unavailable', `The model's manifest.json is not valid: ${detail}`, { cause });
  }
}

/**
 * Compares a model's file with its manifest, so that a damaged or exchanged one is never loaded.
 *
 * @throws AppError `unavailable` naming the file
 */
export async function verifyModelFile(
  modelDir: string,
  expected: { path: string; sha256: string; bytes?: number },
): Promise<void> {
  const path = join(modelDir, expected.path);
  const size = await stat(path).then(
    (stats) => stats.size,
    (cause: unknown) => {
      throw new AppError('unavailable', `The model's file ${expected.path} is missing.`, { cause });
    },
  );
  if (expected.bytes !== undefined && size !== expected.bytes) {
    throw new AppError(
      'unavailable',
      `The model's file ${expected.path} has ${size} bytes, its manifest says ${expected.bytes}.`,
    );
  }
  if ((await sha256OfFile(path)) !== expected.sha256) {
    throw new AppError('unavailable', `The model's file ${expected.path} does not match its sha256.`);
  }
}

/** Lower-case hex. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
