import type { DocumentSummary } from '../types.js';
import { compareIds } from './reciprocal-rank-fusion.js';

/** Where a document was written last, where it stands in several places. */
export interface DocumentVersion {
  document: DocumentSummary;
  /** Name of the place. */
  place: string;
  /** It is not in the place that is written to, or is out of date there. */
  waits: boolean;
}

/**
 * The last version of every document, ordered by knowledge base and id. What was only made again carries the time of
 * what it was made of, so that the place that is written to has the last word between equals.
 *
 * @param places what stands where, by name of the place
 * @param written name of the place that is written to
 */
export function lastVersions(
  places: ReadonlyMap<string, readonly DocumentSummary[]>,
  written: string,
): DocumentVersion[] {
  const versions = new Map<string, DocumentVersion>();
  const keyOf = ({ knowledgeBase, documentId }: DocumentSummary): string => `${knowledgeBase}\0${documentId}`;
  for (const document of places.get(written) ?? []) {
    versions.set(keyOf(document), { document, place: written, waits: false });
  }
  for (const [place, documents] of places) {
    if (place === written) continue;
    for (const document of documents) {
      const known = versions.get(keyOf(document));
      if (known === undefined || isNewer(document, known.document)) {
        versions.set(keyOf(document), { document, place, waits: true });
      }
    }
  }
  return [...versions.values()].sort(
    ({ document: a }, { document: b }) =>
      compareIds(a.knowledgeBase, b.knowledgeBase) || compareIds(a.documentId, b.documentId),
  );
}

/** Times are ISO 8601 in UTC. Another server that read the same file again has not changed it. */
function isNewer(document: DocumentSummary, than: DocumentSummary): boolean {
  return document.updatedAt > than.updatedAt && document.contentHash !== than.contentHash;
}
