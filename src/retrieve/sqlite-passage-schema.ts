import type { WeightedTerms } from './lexical-weights.js';

/**
 * One file. A passage's number is never used again (AUTOINCREMENT) and its row never changes: whoever holds passages
 * in memory follows by reading the rows after the last number it knows, and the removals after the last it knows.
 * Where that is not enough (removals cleared away, searches gone over to another making), `generation` in `meta` goes up.
 *
 * A making is what vectors and terms are made with. `searched` in `meta` is the number of the one that is searched; while
 * the index goes over to another, a document may have passages of both, and belongs to the one it was written with last.
 */
export const PASSAGE_MIGRATIONS = [
  `
  CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO meta VALUES ('generation', '0');

  CREATE TABLE documents (
    number INTEGER PRIMARY KEY,
    knowledge_base TEXT NOT NULL,
    document_id TEXT NOT NULL,
    summary TEXT NOT NULL,
    UNIQUE (knowledge_base, document_id)
  ) STRICT;

  CREATE TABLE passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    position INTEGER NOT NULL,
    passage TEXT NOT NULL,
    passage_id TEXT NOT NULL,
    language TEXT NOT NULL,
    tags TEXT NOT NULL,
    vector BLOB,
    term_keys BLOB NOT NULL,
    term_weights BLOB NOT NULL
  ) STRICT;
  CREATE INDEX passages_by_document ON passages (document, position);

  CREATE TABLE removals (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    passage INTEGER NOT NULL,
    knowledge_base TEXT NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE makings (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint TEXT NOT NULL UNIQUE
  ) STRICT;
  INSERT INTO makings SELECT 1, value FROM meta WHERE key = 'fingerprint';
  INSERT INTO meta SELECT 'searched', '1' FROM makings;
  DELETE FROM meta WHERE key = 'fingerprint';

  ALTER TABLE documents ADD COLUMN making INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE passages ADD COLUMN making INTEGER NOT NULL DEFAULT 1;
  CREATE INDEX documents_by_making ON documents (making);
  `,
];

/** What is searched; null before the first `prepare`. */
export const SELECT_SEARCHED = `SELECT m.number, m.fingerprint FROM makings m JOIN meta ON meta.key = 'searched' AND m.number = meta.value`;

/** The bytes of a typed array, for a BLOB column. Little-endian, as every machine Node.js runs on. */
export function toBlob(array: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

export function toFloats(blob: Uint8Array): Float32Array {
  return new Float32Array(aligned(blob));
}

export function toWeightedTerms(keys: Uint8Array, weights: Uint8Array): WeightedTerms {
  return { keys: new Uint32Array(aligned(keys)), weights: toFloats(weights) };
}

/** A copy of its own: a typed array must begin at a multiple of its element's size. */
function aligned(blob: Uint8Array): ArrayBuffer {
  return blob.slice().buffer as ArrayBuffer;
}
