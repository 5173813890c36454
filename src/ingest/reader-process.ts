import { readDocument } from './read-document.js';
import type { ReadDocument, ReadJob, ReadReply } from './reader-protocol.js';
import { UnreadableError } from './source-document.js';
import { splitIntoPassages } from './split-into-passages.js';

/** About a million words: larger documents are books that should come in chapters. */
const MOST_PASSAGES = 20_000;

async function read(job: ReadJob): Promise<ReadDocument> {
  const document = await readDocument(job);
  const passages = splitIntoPassages(document);
  if (passages.length > MOST_PASSAGES) {
    throw new UnreadableError(
      `it makes ${passages.length} passages; at most ${MOST_PASSAGES} are kept per document`,
    );
  }
  const { title, language, url, tags } = document;
  return { title, language, ...(url === undefined ? {} : { url }), tags, passages };
}

function toReply(thrown: unknown): ReadReply {
  const { message, stack, cause } = thrown instanceof Error ? thrown : new Error(String(thrown));
  return {
    reason: thrown instanceof UnreadableError ? message : 'it could not be read',
    detail: cause instanceof Error ? (cause.stack ?? cause.message) : (stack ?? message),
  };
}

/** Runs in a process of its own: one job at a time, as `document-reader.ts` sends them. Ends with its parent. */
process.on('message', (job: ReadJob) => {
  process.send?.({ taken: true } satisfies ReadReply);
  void read(job)
    .then((document): ReadReply => ({ document }), toReply)
    .then((reply) => process.send?.(reply));
});
