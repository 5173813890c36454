import iconv from 'iconv-lite';

/**
 * Strict decoding; null where the bytes are not valid in that encoding, or where there is no such encoding.
 *
 * @param partial the bytes may end inside a character
 */
export function decodeStrictly(bytes: Uint8Array, encoding: string, { partial = false } = {}): string | null {
  try {
    const decoder = new TextDecoder(encoding, { fatal: true });
    // Node 20 decodes Windows-1252 as Latin-1, without its quotation marks and dashes.
    if (decoder.encoding === 'windows-1252') return iconv.decode(Buffer.from(bytes), 'windows-1252');
    return decoder.decode(bytes, { stream: partial });
  } catch {
    return null;
  }
}
