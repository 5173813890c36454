import { inflateRawSync } from 'node:zlib';
import { UnreadableError } from './source-document.js';

/** Far more than the largest honest office document unpacks to. */
const MOST_UNPACKED_BYTES = 200 * 1024 * 1024;
const MOST_ENTRIES = 10_000;

const END_RECORD = { signature: 0x06054b50, size: 22, longestComment: 0xffff } as const;
const CENTRAL_ENTRY = { signature: 0x02014b50, size: 46 } as const;
const LOCAL_ENTRY = { signature: 0x04034b50, size: 30 } as const;
/** Signature, checksum and two sizes of 8 bytes that may follow packed data; too small to hide an entry in. */
const LONGEST_DATA_DESCRIPTOR = 24;
const STORED = 0;
const DEFLATED = 8;
const NEEDS_ZIP64 = 0xffffffff;

interface ZipEntry {
  name: string;
  encrypted: boolean;
  method: number;
  packedBytes: number;
  unpackedBytes: number;
  offset: number;
}

/** Names of the files in a zip archive, from its central directory. */
export function listZipNames(bytes: Uint8Array): string[] {
  return readCentralDirectory(toView(bytes)).entries.map(({ name }) => name);
}

/**
 * Makes sure that unpacking stays within bounds, whatever library does it: sizes are first taken at their word, then
 * measured, and there is nothing in the file beside what its directory lists.
 *
 * @throws UnreadableError for damaged and encrypted archives and for zip bombs
 */
export function checkZipBounds(bytes: Uint8Array): void {
  const view = toView(bytes);
  const { entries, start } = readCentralDirectory(view);
  if (entries.some(({ encrypted }) => encrypted))
    throw new UnreadableError('the file is protected by a password');
  const declared = entries.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0);
  if (declared > MOST_UNPACKED_BYTES) {
    const megabytes = Math.round(declared / 1024 / 1024);
    throw new UnreadableError(`the file unpacks to ${megabytes} MB; at most 200 MB are read`);
  }
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    if (entry.offset < end || entry.offset > end + LONGEST_DATA_DESCRIPTOR) throw damaged();
    end = checkEntry(view, entry);
  }
  if (start < end || start > end + LONGEST_DATA_DESCRIPTOR) throw damaged();
}

function toView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readCentralDirectory(view: DataView): { entries: ZipEntry[]; start: number } {
  try {
    const end = findEndRecord(view);
    const count = view.getUint16(end + 10, true);
    const start = view.getUint32(end + 16, true);
    if (start === NEEDS_ZIP64 || count > MOST_ENTRIES) {
      throw new UnreadableError(`the archive is larger than the ${MOST_ENTRIES} files that are read`);
    }
    const entries: ZipEntry[] = [];
    let at = start;
    for (let index = 0; index < count; index += 1) {
      const nameBytes = view.getUint16(at + 28, true);
      entries.push(readCentralEntry(view, at, nameBytes));
      at += CENTRAL_ENTRY.size + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    }
    return { entries, start };
  } catch (cause) {
    throw cause instanceof RangeError ? damaged(cause) : cause;
  }
}

function findEndRecord(view: DataView): number {
  const last = view.byteLength - END_RECORD.size;
  for (let at = last; at >= Math.max(0, last - END_RECORD.longestComment); at -= 1) {
    if (view.getUint32(at, true) === END_RECORD.signature) return at;
  }
  throw damaged();
}

function readCentralEntry(view: DataView, at: number, nameBytes: number): ZipEntry {
  if (view.getUint32(at, true) !== CENTRAL_ENTRY.signature) throw damaged();
  return {
    name: new TextDecoder().decode(slice(view, at + CENTRAL_ENTRY.size, nameBytes)),
    encrypted: (view.getUint16(at + 8, true) & 1) === 1,
    method: view.getUint16(at + 10, true),
    packedBytes: view.getUint32(at + 20, true),
    unpackedBytes: view.getUint32(at + 24, true),
    offset: view.getUint32(at + 42, true),
  };
}

/** Unpacks one entry to see that it is no larger than it says; returns where its data ends. */
function checkEntry(view: DataView, { offset, method, packedBytes, unpackedBytes }: ZipEntry): number {
  try {
    if (view.getUint32(offset, true) !== LOCAL_ENTRY.signature) throw damaged();
    const names = view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
    const dataStart = offset + LOCAL_ENTRY.size + names;
    const packed = slice(view, dataStart, packedBytes);
    if (method === STORED && packedBytes !== unpackedBytes) throw damaged();
    if (method === DEFLATED) inflateRawSync(packed, { maxOutputLength: Math.max(unpackedBytes, 1) });
    if (method !== STORED && method !== DEFLATED) throw damaged();
    return dataStart + packedBytes;
  } catch (cause) {
    throw cause instanceof UnreadableError ? cause : damaged(cause);
  }
}

function slice(view: DataView, start: number, length: number): Uint8Array {
  if (start + length > view.byteLength) throw new RangeError('The archive ends too early.');
  return new Uint8Array(view.buffer, view.byteOffset + start, length);
}

function damaged(cause?: unknown): UnreadableError {
  return new UnreadableError('the archive inside the file is damaged', cause === undefined ? {} : { cause });
}
