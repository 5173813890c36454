import { createAddedTokenSplitter } from './added-tokens.js';
import { createBytePair } from './byte-pair.js';
import { createHuggingfaceEncoder } from './huggingface-tokenizer.js';
import { BERT_IDEOGRAPH, createNormalizer } from './normalizers.js';
import { createPreTokenizer } from './pre-tokenizers.js';
import { createSequenceTemplates, type SequenceTemplates } from './sequence-template.js';
import { type TokenizerJson, tokenizerJsonSchema, UnknownComponentError } from './tokenizer-json.js';
import { createUnigram } from './unigram.js';
import { createWordPiece, type EncodePiece } from './word-piece.js';

/** Turns text into the ids of one model, the same as the reference implementation does. */
export interface TextTokenizer {
  /** Ids of the text alone, without special tokens around it. */
  encode(text: string): Int32Array;
  /** How special tokens surround one text or join question and passage. */
  readonly templates: SequenceTemplates;
  /** Fills the places behind a shorter sequence in a batch. */
  readonly padId: number;
  /** `own`, or `vendor` where a component is not known here. */
  readonly implementation: 'own' | 'vendor';
}

/** @param json the parsed `tokenizer.json`; its `truncation` and `padding` are ignored */
export function createTextTokenizer(json: unknown): TextTokenizer {
  const parsed = tokenizerJsonSchema.parse(json);
  const templates = createSequenceTemplates(parsed.post_processor);
  const padId = parsed.added_tokens.find(({ content }) => PAD_TOKENS.has(content))?.id ?? 0;
  try {
    return { encode: createEncoder(parsed), templates, padId, implementation: 'own' };
  } catch (error) {
    if (!(error instanceof UnknownComponentError)) throw error;
    return { encode: createHuggingfaceEncoder(json as object), templates, padId, implementation: 'vendor' };
  }
}

const PAD_TOKENS = new Set(['[PAD]', '<pad>', '<|padding|>']);

function createEncoder(json: TokenizerJson): (text: string) => Int32Array {
  const normalize = createNormalizer(json.normalizer);
  const preTokenize = createPreTokenizer(json.pre_tokenizer);
  const encodePiece = remember(createModel(json));
  const encodeNormalized = (text: string, first: boolean): number[] =>
    preTokenize(text, first).flatMap((piece) => encodePiece(piece));

  const splitRaw = createAddedTokenSplitter(json.added_tokens.filter((token) => !token.normalized));
  const splitNormalized = createAddedTokenSplitter(
    json.added_tokens
      .filter((token) => token.normalized)
      .map((token) => ({ ...token, content: normalize(token.content) }))
      .filter(({ content }) => content !== ''),
  );
  const hasNormalizedTokens = json.added_tokens.some((token) => token.normalized);
  const encodeText =
    isBert(json) && !hasNormalizedTokens
      ? createBertTextEncoder((text) => encodeNormalized(normalize(text), true))
      : (text: string, first: boolean): number[] =>
          splitNormalized(normalize(text)).flatMap((part, index) =>
            typeof part === 'number' ? part : encodeNormalized(part, first && index === 0),
          );

  return (text) => {
    const ids: number[] = [];
    for (const [index, part] of splitRaw(text).entries()) {
      if (typeof part === 'number') ids.push(part);
      else for (const id of encodeText(part, index === 0)) ids.push(id);
    }
    return Int32Array.from(ids);
  };
}

function createModel({ model }: TokenizerJson): EncodePiece {
  switch (model.type ?? ('merges' in model ? 'BPE' : Array.isArray(model.vocab) ? 'Unigram' : 'WordPiece')) {
    case 'WordPiece':
      return createWordPiece(model);
    case 'Unigram':
      return createUnigram(model);
    case 'BPE':
      return createBytePair(model);
    default:
      throw new UnknownComponentError(`model ${model.type}`);
  }
}

function isBert(json: TokenizerJson): boolean {
  return (
    json.normalizer?.type === 'BertNormalizer' &&
    json.normalizer.handle_chinese_chars === true &&
    json.pre_tokenizer?.type === 'BertPreTokenizer'
  );
}

/**
 * BERT's normaliser and pre-tokeniser look at no character beyond a space or an ideograph, so each stretch between
 * them has the same ids wherever it stands, and common ones are looked up by their raw text.
 */
function createBertTextEncoder(encodeStretch: EncodePiece): (text: string) => number[] {
  const recall = remember(encodeStretch);
  return (text) => {
    const ids: number[] = [];
    for (const stretch of text.match(BERT_STRETCHES) ?? []) {
      for (const id of recall(stretch)) ids.push(id);
    }
    return ids;
  };
}

/** \v, \f and U+0085 are spaces, but BERT takes them out as control characters before it looks for spaces. */
const BERT_STRETCHES = new RegExp(
  `[${BERT_IDEOGRAPH}]|(?:[^${BERT_IDEOGRAPH}\\p{White_Space}]|[\\v\\f\\x85])+`,
  'gu',
);

/** Words repeat. Long pieces hardly do, and would only fill the memory. */
function remember(encode: EncodePiece): EncodePiece {
  const known = new Map<string, readonly number[]>();
  return (piece) => {
    const seen = known.get(piece);
    if (seen !== undefined) return seen;
    const ids = encode(piece);
    if (piece.length <= MAX_REMEMBERED_LENGTH) {
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(piece, ids);
    }
    return ids;
  };
}

const MAX_REMEMBERED = 100_000;
const MAX_REMEMBERED_LENGTH = 24;
