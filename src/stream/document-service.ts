import type { PublicError } from '../errors.js';
import type { DocumentSummary, Passage } from '../types.js';

/** A file as it was uploaded. */
export interface UploadedFile {
  /** Name as the client gave it, checked: a relative path without `.` or `..`, `/`-separated. */
  name: string;
  bytes: Uint8Array;
}

/** What became of one uploaded file. */
export interface UploadResult {
  documentId: string;
  status: 'added' | 'changed' | 'unchanged' | 'failed';
  /** Passages the document has now. */
  passages: number;
  /** Why it `failed`. */
  error?: PublicError;
}

/**
 * The documents of the knowledge bases, for people who manage them. Methods throw what the index throws. The caller has
 * checked that the knowledge base exists.
 */
export interface DocumentService {
  /** Ordered by document id. */
  list(knowledgeBase: string): Promise<DocumentSummary[]>;
  /** A document with its passages in order; undefined where there is none of that id. */
  read(
    knowledgeBase: string,
    documentId: string,
  ): Promise<{ document: DocumentSummary; passages: Passage[] } | undefined>;
  /**
   * Ingests files, one result each, in order. A file that cannot be read is a `failed` result and the rest goes on;
   * throws only where nothing can be ingested at all. Resolves when the changes are durable.
   */
  ingest(
    knowledgeBase: string,
    files: readonly UploadedFile[],
    options: { signal: AbortSignal },
  ): Promise<UploadResult[]>;
  /** False where there was no such document. */
  delete(knowledgeBase: string, documentId: string): Promise<boolean>;
}
