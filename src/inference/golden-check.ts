import { type PassageIdCache, preparePairs, prepareTexts, toUnitVector } from './model-input.js';
import type { ModelManifest, Precision } from './model-manifest.js';
import type { TokenSequence } from './tokenizer/sequence-template.js';
import type { TextTokenizer } from './tokenizer/text-tokenizer.js';

export type RunSequence = (sequence: TokenSequence) => Promise<Float32Array>;

export interface GoldenResult {
  /** Null where the manifest has no golden pairs. */
  passed: boolean | null;
  /** Largest absolute difference that was seen. */
  worst: number;
  tolerance: number;
}

/** Computes the manifest's golden pairs on the device in use and compares. */
export async function checkGolden(
  manifest: ModelManifest,
  precision: Precision,
  options: { tokenizer: TextTokenizer; cache: PassageIdCache; run: RunSequence },
): Promise<GoldenResult> {
  if (manifest.golden === undefined) return { passed: null, worst: 0, tolerance: 0 };
  const tolerance = manifest.golden.tolerance[precision] ?? DEFAULT_TOLERANCE[precision];
  const differences =
    manifest.kind === 'reranker'
      ? await pairDifferences(manifest, precision, options)
      : await textDifferences(manifest, precision, options);
  const worst = differences.reduce((most, difference) => Math.max(most, difference), 0);
  // A difference that is not a number fails, too.
  const passed = differences.length === 0 ? null : differences.every((difference) => difference <= tolerance);
  return { passed, worst, tolerance };
}

const DEFAULT_TOLERANCE: Record<Precision, number> = { fp32: 0.001, fp16: 0.03, int8: 0.1 };

type CheckOptions = Parameters<typeof checkGolden>[2];

async function pairDifferences(
  manifest: ModelManifest & { kind: 'reranker' },
  precision: Precision,
  { tokenizer, cache, run }: CheckOptions,
): Promise<number[]> {
  const differences: number[] = [];
  for (const { query, passage, logit } of manifest.golden?.pairs ?? []) {
    const expected = logit[precision] ?? logit.fp32;
    if (expected === undefined) continue;
    const { sequences } = await preparePairs(query, [passage], manifest, { tokenizer, cache });
    const values = await run(sequences[0] as TokenSequence);
    differences.push(Math.abs((values[0] as number) - expected));
  }
  return differences;
}

async function textDifferences(
  manifest: ModelManifest & { kind: 'embedder' },
  precision: Precision,
  { tokenizer, cache, run }: CheckOptions,
): Promise<number[]> {
  const differences: number[] = [];
  for (const { text, kind, vector } of manifest.golden?.texts ?? []) {
    const expected = vector[precision] ?? vector.fp32;
    if (expected === undefined) continue;
    const [sequence] = await prepareTexts([text], kind, manifest, { tokenizer, cache });
    const values = toUnitVector(await run(sequence as TokenSequence));
    differences.push(...expected.map((component, index) => Math.abs((values[index] as number) - component)));
  }
  return differences;
}
