import { extname } from 'node:path/posix';
import { UnreadableError } from './source-document.js';
import { listZipNames } from './zip-bounds.js';

/** `record`: one JSON object of a file of records. No name says so. */
export type DocumentFormat =
  | 'markdown'
  | 'text'
  | 'html'
  | 'pdf'
  | 'docx'
  | 'xlsx'
  | 'csv'
  | 'jsonl'
  | 'record';

const FORMAT_BY_EXTENSION: Readonly<Record<string, DocumentFormat>> = {
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.txt': 'text',
  '.text': 'text',
  '.html': 'html',
  '.htm': 'html',
  '.pdf': 'pdf',
  '.docx': 'docx',
  '.xlsx': 'xlsx',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};

const BINARY_FORMATS: ReadonlySet<DocumentFormat> = new Set(['pdf', 'docx', 'xlsx']);
/** Older Word and Excel files, and newer ones that are encrypted. */
const COMPOUND_FILE = [0xd0, 0xcf, 0x11, 0xe0];
const ZIP = [0x50, 0x4b, 0x03, 0x04];
const START_BYTES = 1024;

/** Undefined for names that do not say it: such files are no documents, or text that was typed in. */
export function formatByName(documentId: string): DocumentFormat | undefined {
  return FORMAT_BY_EXTENSION[extname(documentId).toLowerCase()];
}

/**
 * The extension says how text is meant; what is plainly something else by its first bytes is read as that.
 *
 * @param plainFormat for names without a known extension
 * @throws UnreadableError for files that are no documents
 */
export function chooseFormat(
  documentId: string,
  bytes: Uint8Array,
  plainFormat?: DocumentFormat,
): DocumentFormat {
  const byName = formatByName(documentId) ?? plainFormat;
  const byContent = sniffFormat(bytes, byName);
  if (byContent !== null && (byName !== 'markdown' || byContent !== 'html')) return byContent;
  if (byName === undefined) {
    const known = Object.keys(FORMAT_BY_EXTENSION).join(', ');
    throw new UnreadableError(`files of this type are not supported; known are ${known}`);
  }
  if (BINARY_FORMATS.has(byName))
    throw new UnreadableError(`this is not a valid ${byName.toUpperCase()} file`);
  return byName;
}

function sniffFormat(bytes: Uint8Array, byName: DocumentFormat | undefined): DocumentFormat | null {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, START_BYTES));
  // Some programs write a few bytes before the mark; a text about PDFs may also speak of it.
  if (byName === 'pdf' ? start.includes('%PDF-') : start.startsWith('%PDF-')) return 'pdf';
  if (startsWith(bytes, ZIP)) return sniffZip(bytes);
  if (startsWith(bytes, COMPOUND_FILE)) {
    throw new UnreadableError(
      'this is an older Office file or one protected by a password; save it as DOCX or XLSX',
    );
  }
  return /^\s*(?:<!doctype html|<html[\s>])/i.test(start.replace(/^ï»¿/, '')) ? 'html' : null;
}

function sniffZip(bytes: Uint8Array): DocumentFormat {
  const names = listZipNames(bytes);
  if (names.includes('word/document.xml')) return 'docx';
  if (names.includes('xl/workbook.xml')) return 'xlsx';
  throw new UnreadableError('this is an archive, not a document; unpack it first');
}

function startsWith(bytes: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, index) => bytes[index] === byte);
}
