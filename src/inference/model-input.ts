import { hash } from 'node:crypto';
import { type BoundedCache, createBoundedCache } from './lru-cache.js';
import type { EmbedderManifest, RerankerManifest } from './model-manifest.js';
import { cutIntoWindows } from './passage-windows.js';
import { fillTemplate, type TokenSequence } from './tokenizer/sequence-template.js';
import type { TextTokenizer } from './tokenizer/text-tokenizer.js';

/** Ids of passages, by model and content. */
export type PassageIdCache = BoundedCache<Int32Array>;

export function createPassageIdCache(maxBytes: number): PassageIdCache {
  return createBoundedCache({ maxSize: maxBytes, sizeOf: (ids) => ids.byteLength + ENTRY_BYTES });
}

/** What an entry costs beside its ids: key, object, bookkeeping. */
const ENTRY_BYTES = 300;

/** What goes through a reranker for one request. */
export interface PairInput {
  /** Windows of all passages, one after the other. */
  sequences: TokenSequence[];
  /** Per passage. */
  windows: number[];
  truncated: boolean[];
}

export interface ModelInputOptions {
  tokenizer: TextTokenizer;
  cache: PassageIdCache;
  /** Is told the milliseconds that went into ids and sequences. */
  onSpent?: (milliseconds: number) => void;
}

/** Windows per passage at most: with 512 tokens each, the first 3,000 or so tokens of a passage are read. */
const MAX_WINDOWS = 8;

/** Joins one question, encoded once, with each passage. The passage gives way where both do not fit. */
export async function preparePairs(
  question: string,
  texts: readonly string[],
  manifest: RerankerManifest,
  { tokenizer, cache, onSpent }: ModelInputOptions,
): Promise<PairInput> {
  let start = performance.now();
  const template = tokenizer.templates.pair;
  const room = manifest.maxLength - template.specialTokens;
  const questionIds = tokenizer.encode(question).subarray(0, Math.floor(room / 2));
  const input: PairInput = { sequences: [], windows: [], truncated: [] };
  for (const [index, text] of texts.entries()) {
    if (index % TEXTS_AT_ONCE === TEXTS_AT_ONCE - 1) {
      onSpent?.(performance.now() - start);
      await letOthersIn();
      start = performance.now();
    }
    const ids = remembered(cache, manifest.name, text, tokenizer);
    const cut = cutIntoWindows(ids, { room: room - questionIds.length, maxWindows: MAX_WINDOWS });
    for (const window of cut.windows) {
      input.sequences.push(fillTemplate(template, { A: questionIds, B: window }));
    }
    input.windows.push(cut.windows.length);
    input.truncated.push(cut.truncated);
  }
  onSpent?.(performance.now() - start);
  return input;
}

/** The best window speaks for its passage. */
export function bestLogits(values: readonly Float32Array[], windows: readonly number[]): number[] {
  let offset = 0;
  return windows.map((count) => {
    const logits = values.slice(offset, offset + count).map((value) => value[0] as number);
    offset += count;
    return Math.max(...logits);
  });
}

/** Texts with the model's prefix; what does not fit is cut off at the end. */
export async function prepareTexts(
  texts: readonly string[],
  kind: 'query' | 'passage',
  manifest: EmbedderManifest,
  { tokenizer, cache, onSpent }: ModelInputOptions,
): Promise<TokenSequence[]> {
  let start = performance.now();
  const template = tokenizer.templates.single;
  const room = manifest.maxLength - template.specialTokens;
  const prefix = kind === 'query' ? manifest.queryPrefix : manifest.passagePrefix;
  const sequences: TokenSequence[] = [];
  for (const [index, text] of texts.entries()) {
    if (index % TEXTS_AT_ONCE === TEXTS_AT_ONCE - 1) {
      onSpent?.(performance.now() - start);
      await letOthersIn();
      start = performance.now();
    }
    const ids = remembered(cache, manifest.name, prefix + text, tokenizer);
    sequences.push(fillTemplate(template, { A: ids.subarray(0, room) }));
  }
  onSpent?.(performance.now() - start);
  return sequences;
}

/** A vector of length 1 in the same direction; one without a direction stays zero. */
export function toUnitVector(vector: Float32Array): Float32Array {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return norm === 0 ? vector.slice() : vector.map((value) => value / norm);
}

function remembered(
  cache: PassageIdCache,
  model: string,
  text: string,
  tokenizer: TextTokenizer,
): Int32Array {
  const key = `${model}\n${hash('sha256', text, 'base64')}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const ids = tokenizer.encode(text);
  cache.set(key, ids);
  return ids;
}

/** Long requests let others in between: finished runs, cancellations, small questions. */
const TEXTS_AT_ONCE = 64;

function letOthersIn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
