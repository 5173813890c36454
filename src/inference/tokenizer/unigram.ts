import { z } from 'zod';
import type { EncodePiece } from './word-piece.js';

const unigramSchema = z.object({
  vocab: z.array(z.tuple([z.string(), z.number()])),
  unk_id: z.number().int().nullish(),
  byte_fallback: z.boolean().default(false),
});

/** What an unknown character costs below the rarest token, as in SentencePiece. */
const UNKNOWN_PENALTY = 10;

/**
 * The most probable segmentation under a unigram model, found as the `tokenizers` crate finds it: ties go to the
 * path that was found first, runs of unknown characters become one unknown token (or their bytes).
 */
export function createUnigram(model: unknown): EncodePiece {
  const options = unigramSchema.parse(model);
  const scores = Float64Array.from(options.vocab, ([, score]) => score);
  const unknownId = options.unk_id ?? -1;
  const unknownScore = scores.reduce((least, score) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
  const trie = createTrie(options.vocab.map(([token]) => token));
  const idOf = new Map(options.vocab.map(([token], id) => [token, id]));

  const unknownIds = (text: string): readonly number[] => {
    const known = idOf.get(text);
    if (known !== undefined) return [known];
    if (options.byte_fallback) {
      const bytes = [...Buffer.from(text, 'utf8')].map((byte) => idOf.get(byteToken(byte)));
      if (bytes.every((id) => id !== undefined)) return bytes;
    }
    if (unknownId === -1) throw new Error('The tokenizer has no token for unknown characters.');
    return [unknownId];
  };

  return (piece) => {
    const size = piece.length;
    const bestScores = new Float64Array(size + 1);
    const bestStarts = new Int32Array(size + 1).fill(-1);
    const bestIds = new Int32Array(size + 1);
    const offer = (start: number, end: number, id: number, score: number): void => {
      if (bestStarts[end] === -1 || score > (bestScores[end] as number)) {
        bestScores[end] = score;
        bestStarts[end] = start;
        bestIds[end] = id;
      }
    };

    for (let start = 0; start < size; ) {
      const here = bestScores[start] as number;
      const width = (piece.codePointAt(start) as number) > 0xffff ? 2 : 1;
      let knowsCharacter = false;
      let node = 0;
      for (let end = start; end < size; ) {
        node = trie.step(node, piece.charCodeAt(end));
        if (node === -1) break;
        end += 1;
        const id = trie.idAt(node);
        if (id === -1) continue;
        offer(start, end, id, (scores[id] as number) + here);
        knowsCharacter ||= end - start === width;
      }
      if (!knowsCharacter) offer(start, start + width, unknownId, unknownScore + here);
      start += width;
    }

    const ids: number[] = [];
    let unknownEnd = -1;
    for (let end = size; end > 0; ) {
      const start = bestStarts[end] as number;
      const id = bestIds[end] as number;
      if (id === unknownId) {
        if (unknownEnd === -1) unknownEnd = end;
        if (start === 0) ids.push(...unknownIds(piece.slice(0, unknownEnd)).toReversed());
      } else {
        if (unknownEnd !== -1) ids.push(...unknownIds(piece.slice(end, unknownEnd)).toReversed());
        unknownEnd = -1;
        ids.push(id);
      }
      end = start;
    }
    return ids.reverse();
  };
}

export function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

interface Trie {
  /** The node after one more UTF-16 code unit, or -1. */
  step(node: number, unit: number): number;
  /** The token that ends at a node, or -1. */
  idAt(node: number): number;
}

/** A trie in one open-addressed table: a quarter of a million tokens stay small and cost the collector nothing. */
function createTrie(tokens: readonly string[]): Trie {
  const capacity = 2 ** Math.ceil(Math.log2(2 * tokens.reduce((sum, token) => sum + token.length, 1)));
  const parents = new Int32Array(capacity).fill(-1);
  const units = new Uint16Array(capacity);
  const children = new Int32Array(capacity);
  const ids: number[] = [-1];

  const slotOf = (node: number, unit: number): number => {
    let slot = (Math.imul(node, 0x9e3779b1) ^ Math.imul(unit, 0x85ebca6b)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & (capacity - 1);
    while (parents[slot] !== -1 && (parents[slot] !== node || units[slot] !== unit)) {
      slot = (slot + 1) & (capacity - 1);
    }
    return slot;
  };

  for (const [id, token] of tokens.entries()) {
    let node = 0;
    for (let i = 0; i < token.length; i += 1) {
      const unit = token.charCodeAt(i);
      const slot = slotOf(node, unit);
      if (parents[slot] === -1) {
        parents[slot] = node;
        units[slot] = unit;
        children[slot] = ids.length;
        ids.push(-1);
      }
      node = children[slot] as number;
    }
    if (node !== 0) ids[node] = id;
  }
  const idsByNode = Int32Array.from(ids);

  return {
    step(node, unit) {
      const slot = slotOf(node, unit);
      return parents[slot] === -1 ? -1 : (children[slot] as number);
    },
    idAt: (node) => idsByNode[node] as number,
  };
}
