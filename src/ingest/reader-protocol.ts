import type { DocumentSummary } from '../types.js';
import type { DocumentFormat } from './document-format.js';
import type { PassageDraft } from './split-into-passages.js';

/** What the server asks of the reading process. */
export interface ReadJob {
  documentId: string;
  bytes: Uint8Array;
  /** What it is, whatever its name and its first bytes say. */
  format?: DocumentFormat;
  /** How to read text whose name does not say it; absent: such a file is refused. */
  plainFormat?: DocumentFormat;
}

/** A document read and cut. */
export interface ReadDocument extends Pick<DocumentSummary, 'title' | 'language' | 'url' | 'tags'> {
  passages: PassageDraft[];
}

/** First that the job has been taken, then what became of it. `reason` is for people, `detail` for the log. */
export type ReadReply = { taken: true } | { document: ReadDocument } | { reason: string; detail: string };
