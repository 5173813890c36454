import { z } from 'zod';
import { toRegExp } from './normalizers.js';
import { type TokenizerComponent, UnknownComponentError } from './tokenizer-json.js';

/**
 * Cuts normalised text into the pieces that the model sees one by one.
 *
 * @param first whether the text begins the input (nothing stands before it, no added token either)
 */
export type PreTokenize = (text: string, first: boolean) => string[];

const splitSchema = z.object({
  pattern: z.union([z.object({ String: z.string() }), z.object({ Regex: z.string() })]),
  behavior: z.enum(['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous']),
  invert: z.boolean().default(false),
});
type Behavior = z.infer<typeof splitSchema>['behavior'];

/** ASCII symbols count as punctuation for BERT. */
export const BERT_PUNCTUATION = '!-\\/:-@\\[-`\\{-~\\p{P}';

export function createPreTokenizer(component: TokenizerComponent | null | undefined): PreTokenize {
  if (component === null || component === undefined) return (text) => [text];
  switch (component.type) {
    case 'Sequence': {
      const { pretokenizers } = z
        .object({ pretokenizers: z.array(z.looseObject({ type: z.string() })) })
        .parse(component);
      const steps = pretokenizers.map(createPreTokenizer);
      return (text, first) =>
        steps.reduce<string[]>(
          (pieces, step) => pieces.flatMap((piece, index) => step(piece, first && index === 0)),
          [text],
        );
    }
    case 'BertPreTokenizer':
      return matching(new RegExp(`[${BERT_PUNCTUATION}]|[^${BERT_PUNCTUATION}\\p{White_Space}]+`, 'gu'));
    case 'Whitespace':
      return matching(
        /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu,
      );
    case 'WhitespaceSplit':
      return matching(/\P{White_Space}+/gu);
    case 'Punctuation': {
      const { behavior } = z
        .object({ behavior: splitSchema.shape.behavior.default('Isolated') })
        .parse(component);
      return splitting(new RegExp(`[${BERT_PUNCTUATION}]`, 'gu'), behavior);
    }
    case 'Digits': {
      const { individual_digits: individual } = z
        .object({ individual_digits: z.boolean().default(false) })
        .parse(component);
      return splitting(/\p{N}/gu, individual ? 'Isolated' : 'Contiguous');
    }
    case 'Split': {
      const { pattern, behavior, invert } = splitSchema.parse(component);
      const search = 'Regex' in pattern ? toRegExp(pattern.Regex) : toRegExp(escapePattern(pattern.String));
      return splitting(search, behavior, invert);
    }
    case 'Metaspace':
      return createMetaspace(component);
    case 'ByteLevel':
      return createByteLevel(component);
    default:
      throw new UnknownComponentError(`pre-tokenizer ${component.type}`);
  }
}

function matching(pattern: RegExp): PreTokenize {
  return (text) => text.match(pattern) ?? [];
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function splitting(pattern: RegExp, behavior: Behavior, invert = false): PreTokenize {
  return (text) => splitText(text, pattern, behavior, invert);
}

/** The delimiter behaviours of the `tokenizers` crate. */
function splitText(text: string, pattern: RegExp, behavior: Behavior, invert: boolean): string[] {
  const parts: { text: string; delimiter: boolean }[] = [];
  const push = (part: string, delimiter: boolean): void => {
    if (part !== '') parts.push({ text: part, delimiter });
  };
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    push(text.slice(end, match.index), invert);
    push(match[0], !invert);
    end = match.index + match[0].length;
  }
  push(text.slice(end), invert);

  switch (behavior) {
    case 'Isolated':
      return parts.map((part) => part.text);
    case 'Removed':
      return parts.filter((part) => !part.delimiter).map((part) => part.text);
    case 'Contiguous':
      return joinParts(parts, (previous, part) => previous.delimiter === part.delimiter);
    case 'MergedWithPrevious':
      return joinParts(parts, (previous, part) => part.delimiter && !previous.delimiter);
    case 'MergedWithNext':
      return joinParts(parts, (previous, part) => previous.delimiter && !part.delimiter);
  }
}

function joinParts<Part extends { text: string }>(
  parts: readonly Part[],
  joins: (previous: Part, part: Part) => boolean,
): string[] {
  const joined: string[] = [];
  let previous: Part | undefined;
  for (const part of parts) {
    if (previous !== undefined && joins(previous, part)) joined.push(`${joined.pop()}${part.text}`);
    else joined.push(part.text);
    previous = part;
  }
  return joined;
}

const metaspaceSchema = z.object({
  replacement: z.string().default('▁'),
  add_prefix_space: z.boolean().optional(),
  prepend_scheme: z.enum(['always', 'first', 'never']).optional(),
  split: z.boolean().default(true),
});

/** Spaces become a visible mark that begins each piece: SentencePiece's view of words. */
function createMetaspace(component: TokenizerComponent): PreTokenize {
  const {
    replacement,
    add_prefix_space: addPrefixSpace,
    prepend_scheme,
    split,
  } = metaspaceSchema.parse(component);
  const scheme = prepend_scheme ?? (addPrefixSpace === false ? 'never' : 'always');
  const mark = new RegExp(escapePattern(replacement), 'gu');
  return (text, first) => {
    const marked = text.replaceAll(' ', replacement);
    const prepends =
      !marked.startsWith(replacement) && (scheme === 'always' || (scheme === 'first' && first));
    const whole = prepends ? replacement + marked : marked;
    return split ? splitText(whole, mark, 'MergedWithNext', false) : [whole];
  };
}

const byteLevelSchema = z.object({
  add_prefix_space: z.boolean().default(true),
  use_regex: z.boolean().default(true),
});

/** GPT-2's pattern for words, numbers, other signs and spaces. */
const BYTE_LEVEL_WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Each byte becomes one visible character. */
function createByteLevel(component: TokenizerComponent): PreTokenize {
  const { add_prefix_space: addPrefixSpace, use_regex: useRegex } = byteLevelSchema.parse(component);
  return (text) => {
    const whole = addPrefixSpace && !text.startsWith(' ') ? ` ${text}` : text;
    const pieces = useRegex ? (whole.match(BYTE_LEVEL_WORDS) ?? []) : [whole];
    return pieces.map(visibleBytes);
  };
}

function visibleBytes(text: string): string {
  let visible = '';
  for (const byte of Buffer.from(text, 'utf8')) visible += BYTE_CHARACTERS[byte];
  return visible;
}

/** GPT-2's table: printable Latin-1 stands for itself, the other bytes for U+0100 and up, in order. */
const BYTE_CHARACTERS: readonly string[] = (() => {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++));
})();
