import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { DocumentSummary } from '../types.js';
import type { IndexedPassage, IndexFingerprint } from './passage-index.js';
import { documentSchema, fingerprintSchema, passageSchema } from './passage-schemas.js';

/**
 * What `askbase export` writes, one JSON object a line: a header, then each document followed by its passages in order,
 * then a trailer that says what should have come before it. `docs/export-format.md` describes it for others.
 */

const VERSION = 1;

const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, 'is not base64');

const headerSchema = z.strictObject({
  askbase: z.literal('export'),
  version: z.literal(VERSION),
  fingerprint: fingerprintSchema,
});
const documentLineSchema = z.strictObject({ document: documentSchema });
const passageLineSchema = z.strictObject({
  passage: passageSchema,
  vector: base64.nullable(),
  termKeys: base64,
  termWeights: base64,
});
const trailerSchema = z.strictObject({
  end: z.strictObject({ documents: z.number(), passages: z.number(), sha256: z.string() }),
});

export interface ExportTrailer {
  documents: number;
  passages: number;
  /** Over all lines before the trailer, line feeds included; hex. */
  sha256: string;
}

export interface ExportedDocument {
  document: DocumentSummary;
  passages: IndexedPassage[];
}

export type ExportLine =
  | { type: 'document'; document: DocumentSummary }
  | { type: 'passage'; passage: IndexedPassage }
  | { type: 'end'; trailer: ExportTrailer };

export function writeHeader(fingerprint: IndexFingerprint): string {
  return JSON.stringify({ askbase: 'export', version: VERSION, fingerprint });
}

export function writeTrailer(end: ExportTrailer): string {
  return JSON.stringify({ end });
}

/** The lines of a document: the same for the same content, whichever engine it comes from. */
export function writeDocument({ document, passages }: ExportedDocument): string[] {
  return [
    toLine({ document: documentSchema.parse(document) }),
    ...passages.map(({ passage, vector, terms }) =>
      toLine({
        passage: passageSchema.parse(passage),
        vector: vector === null ? null : toBase64(vector),
        termKeys: toBase64(terms.keys),
        termWeights: toBase64(terms.weights),
      }),
    ),
  ];
}

/** Throws AppError `invalid` with the reason. */
export function readHeader(line: string): IndexFingerprint {
  const header = headerSchema.safeParse(parseJson(line));
  if (header.success) return header.data.fingerprint;
  throw new AppError('invalid', 'this is not an Askbase export of a version known here');
}

/** Throws AppError `invalid` with the reason. */
export function readLine(line: string, { dimensions }: IndexFingerprint): ExportLine {
  const value = parseJson(line);
  if (typeof value === 'object' && value !== null) {
    if ('document' in value) {
      return { type: 'document', document: check(documentLineSchema, value).document as DocumentSummary };
    }
    if ('end' in value) return { type: 'end', trailer: check(trailerSchema, value).end };
    if ('passage' in value) {
      return { type: 'passage', passage: toIndexed(check(passageLineSchema, value), dimensions) };
    }
  }
  throw new AppError('invalid', 'a document, a passage or the end is expected');
}

/** Digest of what lines say, to compare documents by. */
export function digestOf(lines: readonly string[]): string {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(`${line}\n`);
  return hash.digest('hex');
}

function toIndexed(line: z.infer<typeof passageLineSchema>, dimensions: number): IndexedPassage {
  const vector = line.vector === null ? null : new Float32Array(fromBase64(line.vector, 'vector'));
  if (vector !== null && vector.length !== dimensions) {
    throw new AppError('invalid', `vector: ${dimensions} numbers are expected, not ${vector.length}`);
  }
  const keys = new Uint32Array(fromBase64(line.termKeys, 'termKeys'));
  const weights = new Float32Array(fromBase64(line.termWeights, 'termWeights'));
  if (keys.length !== weights.length) {
    throw new AppError('invalid', 'termKeys and termWeights are not of the same length');
  }
  return { passage: line.passage as IndexedPassage['passage'], vector, terms: { keys, weights } };
}

/** Without the two characters that JSON leaves as they are and some readers of lines take for an end of line. */
function toLine(value: unknown): string {
  return JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new AppError('invalid', 'this is not JSON', { cause });
  }
}

function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AppError('invalid', `${issue?.path.join('.')}: ${issue?.message}`, { cause: parsed.error });
}

/** Little-endian, as every machine Node.js runs on. */
function toBase64(array: Float32Array | Uint32Array): string {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString('base64');
}

function fromBase64(text: string, field: string): ArrayBuffer {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  if (bytes.length % 4 !== 0) throw new AppError('invalid', `${field}: bytes of whole numbers are expected`);
  return bytes.buffer;
}
