import { z } from 'zod';
import { UnknownComponentError } from './tokenizer-json.js';
import { byteToken } from './unigram.js';
import type { EncodePiece } from './word-piece.js';

const bytePairSchema = z.object({
  vocab: z.record(z.string(), z.number().int()),
  merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
  unk_token: z.string().nullish(),
  continuing_subword_prefix: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
  fuse_unk: z.boolean().default(false),
  byte_fallback: z.boolean().default(false),
  ignore_merges: z.boolean().default(false),
});

/** Byte-pair encoding: the merge with the lowest rank first, the leftmost where several have it. */
export function createBytePair(model: unknown): EncodePiece {
  const options = bytePairSchema.parse(model);
  if (options.continuing_subword_prefix || options.end_of_word_suffix) {
    throw new UnknownComponentError('BPE with a subword prefix or suffix');
  }
  const idOf = new Map(Object.entries(options.vocab));
  const unknownId = idOf.get(options.unk_token ?? '');
  const merges = createMergeTable(options.merges, idOf);

  /** Ids of the single characters; what has none becomes its bytes, or unknown, or nothing, as the reference does. */
  const characterIds = (piece: string): number[] => {
    const ids: number[] = [];
    let afterUnknown = false;
    for (const character of piece) {
      const id = idOf.get(character);
      if (id !== undefined) {
        ids.push(id);
        afterUnknown = false;
        continue;
      }
      const bytes = options.byte_fallback
        ? [...Buffer.from(character, 'utf8')].map((byte) => idOf.get(byteToken(byte)))
        : [undefined];
      if (bytes.every((byte) => byte !== undefined)) {
        ids.push(...bytes);
      } else if (unknownId !== undefined) {
        if (!(options.fuse_unk && afterUnknown)) ids.push(unknownId);
        afterUnknown = true;
      }
    }
    return ids;
  };

  return (piece) => {
    if (options.ignore_merges) {
      const whole = idOf.get(piece);
      if (whole !== undefined) return [whole];
    }
    const ids = characterIds(piece);
    for (;;) {
      let best = -1;
      let bestMerge: Merge | undefined;
      for (let i = 0; i + 1 < ids.length; i += 1) {
        const merge = merges(ids[i] as number, ids[i + 1] as number);
        if (merge !== undefined && (bestMerge === undefined || merge.rank < bestMerge.rank)) {
          best = i;
          bestMerge = merge;
        }
      }
      if (bestMerge === undefined) return ids;
      ids.splice(best, 2, bestMerge.id);
    }
  };
}

interface Merge {
  rank: number;
  id: number;
}

/** Two ids make one number: ids stay far below this, and its square below 2^53. */
const PAIR_STRIDE = 2 ** 26;

function createMergeTable(
  merges: readonly (string | [string, string])[],
  idOf: ReadonlyMap<string, number>,
): (left: number, right: number) => Merge | undefined {
  const table = new Map<number, Merge>();
  for (const [rank, merge] of merges.entries()) {
    const [left, right] = typeof merge === 'string' ? (merge.split(' ') as [string, string]) : merge;
    const [leftId, rightId, id] = [idOf.get(left), idOf.get(right), idOf.get(left + right)];
    if (leftId === undefined || rightId === undefined || id === undefined) {
      throw new Error(`The tokenizer merges a token that is not in its vocabulary: ${left} ${right}`);
    }
    table.set(leftId * PAIR_STRIDE + rightId, { rank, id });
  }
  return (left, right) => table.get(left * PAIR_STRIDE + right);
}
