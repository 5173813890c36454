import { z } from 'zod';

/** Turns one pre-tokenised piece into ids. */
export type EncodePiece = (piece: string) => readonly number[];

const wordPieceSchema = z.object({
  vocab: z.record(z.string(), z.number().int()),
  unk_token: z.string().default('[UNK]'),
  continuing_subword_prefix: z.string().default('##'),
  max_input_chars_per_word: z.number().int().default(100),
});

/** Greedy longest match from the left; a word with a part that is not in the vocabulary is unknown as a whole. */
export function createWordPiece(model: unknown): EncodePiece {
  const options = wordPieceSchema.parse(model);
  const starts = new Map<string, number>();
  const continuations = new Map<string, number>();
  const prefix = options.continuing_subword_prefix;
  let longest = 1;
  for (const [token, id] of Object.entries(options.vocab)) {
    starts.set(token, id);
    if (token.startsWith(prefix)) continuations.set(token.slice(prefix.length), id);
    longest = Math.max(longest, token.length);
  }
  const unknown = [starts.get(options.unk_token) ?? 0];

  return (word) => {
    if (isLongerThan(word, options.max_input_chars_per_word)) return unknown;
    const ids: number[] = [];
    let start = 0;
    while (start < word.length) {
      const vocabulary = start === 0 ? starts : continuations;
      let end = Math.min(word.length, start + longest);
      let id = vocabulary.get(word.slice(start, end));
      while (id === undefined && end > start + 1) {
        end -= 1;
        id = vocabulary.get(word.slice(start, end));
      }
      if (id === undefined) return unknown;
      ids.push(id);
      start = end;
    }
    return ids;
  };
}

/** Counts characters, not UTF-16 code units. */
function isLongerThan(word: string, limit: number): boolean {
  if (word.length <= limit) return false;
  return word.length > 2 * limit || [...word].length > limit;
}
