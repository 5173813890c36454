/**
 * SentencePiece's precompiled normalisation table, applied as the `tokenizers` crate applies it: per grapheme, and
 * where the table has no entry that begins a grapheme, per character of it.
 *
 * The table is a little-endian uint32 (bytes of the trie), a double-array trie over UTF-8 bytes in the unit layout
 * of Darts-clone (https://github.com/s-yata/darts-clone), and the replacements, each ended by NUL.
 *
 * @param base64 `precompiled_charsmap` of tokenizer.json
 */
export function createPrecompiledNormalizer(base64: string | null): (text: string) => string {
  if (base64 === null || base64 === '') return (text) => text;
  const table = Buffer.from(base64, 'base64');
  const trieBytes = table.readUInt32LE(0);
  const units = new Uint32Array(trieBytes / 4);
  for (let i = 0; i < units.length; i += 1) units[i] = table.readUInt32LE(4 + 4 * i);
  const replacements = table.subarray(4 + trieBytes);

  const replacementAt = (start: number): string =>
    replacements.toString('utf8', start, replacements.indexOf(0, start));
  const known = new Map<string, string | null>();
  /** The replacement of the shortest entry that begins the text, or null. */
  const transform = (text: string): string | null => {
    const seen = known.get(text);
    if (seen !== undefined) return seen;
    const start = shortestPrefix(units, Buffer.from(text, 'utf8'));
    const found = start === null ? null : replacementAt(start);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(text, found);
    return found;
  };

  return (text) => {
    let normalized = '';
    for (const grapheme of graphemes(text)) {
      if (grapheme.length < MAX_GRAPHEME_BYTES && Buffer.byteLength(grapheme) < MAX_GRAPHEME_BYTES) {
        const whole = transform(grapheme);
        if (whole !== null) {
          normalized += whole;
          continue;
        }
      }
      for (const character of grapheme) normalized += transform(character) ?? character;
    }
    return normalized;
  };
}

/** The reference looks longer graphemes up by character only. */
const MAX_GRAPHEME_BYTES = 6;
const MAX_KNOWN = 20_000;

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });
/** Characters that never join with a neighbour: printable ASCII, CJK punctuation, kana, ideographs, full-width forms. */
const standalone =
  /^[\n\x20-\x7e\u3000-\u3029\u3030-\u303f\u3041-\u3096\u30a0-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff9d]*$/;

function graphemes(text: string): Iterable<string> {
  if (standalone.test(text)) return text;
  return segments(text);
}

function* segments(text: string): Generator<string> {
  for (const { segment } of segmenter.segment(text)) yield segment;
}

function shortestPrefix(units: Uint32Array, key: Uint8Array): number | null {
  let position = unitOffset(units[0] ?? 0);
  for (const byte of key) {
    if (byte === 0) return null;
    position ^= byte;
    const unit = units[position] ?? 0;
    if ((unit & 0x800000ff) >>> 0 !== byte) return null;
    position ^= unitOffset(unit);
    const hasLeaf = ((unit >>> 8) & 1) === 1;
    if (hasLeaf) return (units[position] ?? 0) & 0x7fffffff;
  }
  return null;
}

function unitOffset(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
}
