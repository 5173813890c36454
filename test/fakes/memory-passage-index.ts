import type { IndexedPassage, PassageIndex } from '../../src/retrieve/passage-index.js';
import type { DocumentSummary } from '../../src/types.js';

export interface MemoryPassageIndex extends PassageIndex {
  /** How often a document was written. */
  writes: number;
  indexed(knowledgeBase: string, documentId: string): readonly IndexedPassage[];
}

const NO_TERMS = { keys: new Uint32Array(), weights: new Float32Array() };
const notImplemented = (): never => {
  throw new Error('not implemented');
};

/** Keeps documents in memory; searching is not implemented. */
export function createMemoryPassageIndex(): MemoryPassageIndex {
  const documents = new Map<string, { summary: DocumentSummary; indexed: readonly IndexedPassage[] }>();
  const keyOf = (knowledgeBase: string, documentId: string): string => `${knowledgeBase}\0${documentId}`;
  return {
    writes: 0,
    indexed: (knowledgeBase, documentId) => documents.get(keyOf(knowledgeBase, documentId))?.indexed ?? [],
    async replaceDocument(summary, indexed) {
      this.writes += 1;
      documents.set(keyOf(summary.knowledgeBase, summary.documentId), { summary, indexed });
    },
    deleteDocument: async (knowledgeBase, documentId) => documents.delete(keyOf(knowledgeBase, documentId)),
    listDocuments: async (knowledgeBase) =>
      [...documents.entries()]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, { summary }]) => summary)
        .filter((summary) => knowledgeBase === undefined || summary.knowledgeBase === knowledgeBase),
    findDocument: async (knowledgeBase, documentId) =>
      documents.get(keyOf(knowledgeBase, documentId))?.summary ?? null,
    readDocument: async (knowledgeBase, documentId) =>
      (documents.get(keyOf(knowledgeBase, documentId))?.indexed ?? []).map(({ passage }) => passage),
    readIndexed: async (knowledgeBase, documentId) => [
      ...(documents.get(keyOf(knowledgeBase, documentId))?.indexed ?? []),
    ],
    searchedWith: notImplemented,
    search: notImplemented,
    /** As a real one does it: what was made otherwise is forgotten, the texts are not. */
    async prepare() {
      for (const document of documents.values()) {
        document.summary = { ...document.summary, contentHash: '' };
        document.indexed = document.indexed.map(({ passage }) => ({
          passage,
          vector: null,
          terms: NO_TERMS,
        }));
      }
      return documents.size > 0;
    },
    load: (run) => run(),
    describe: notImplemented,
    isReady: notImplemented,
    close: async () => undefined,
  };
}
