import { splitIntoPassages } from '../ingest/split-into-passages.js';
import { createPassageIds } from '../ingest/uuid-passage-id.js';
import { detectLanguage } from '../language.js';
import { passageSearchText } from '../passage-text.js';
import type { Analyzer } from '../retrieve/analyzer.js';
import type { Embedder } from '../retrieve/embedder.js';
import { weighPassageTerms } from '../retrieve/lexical-weights.js';
import type { PassageIndex } from '../retrieve/passage-index.js';
import type { DocumentSummary, Passage } from '../types.js';
import type { BeirDocument } from './beir-dataset.js';

export interface IndexDatasetOptions {
  index: Pick<PassageIndex, 'replaceDocument'>;
  embedder: Embedder | null;
  analyzer: Analyzer;
  knowledgeBase: string;
  onProgress?: (progress: { done: number; total: number }) => void;
  signal: AbortSignal;
}

/** No words of its own: a labelled collection is searched as it is. */
export const PLAIN_LEXICON = { dictionary: [], synonyms: [] };
const DOCUMENTS_AT_A_TIME = 32;

/** Cuts, embeds and indexes a labelled collection as the product does its documents. Resolves to the passages made. */
export async function indexDataset(
  documents: readonly BeirDocument[],
  options: IndexDatasetOptions,
): Promise<number> {
  const { index, embedder, analyzer, knowledgeBase, onProgress, signal } = options;
  let count = 0;
  for (let start = 0; start < documents.length; start += DOCUMENTS_AT_A_TIME) {
    const batch = documents.slice(start, start + DOCUMENTS_AT_A_TIME);
    const cut = batch.map((document) => toPassages(document, knowledgeBase));
    const texts = cut.flat().map(passageSearchText);
    const vectors = await embedder?.embed(texts, { kind: 'passage', signal });
    let place = 0;
    for (const passages of cut) {
      const indexed = passages.map((passage) => {
        const vector = vectors?.[place] ?? null;
        const words = analyzer.analyze(texts[place] ?? '', PLAIN_LEXICON);
        const terms = weighPassageTerms(knowledgeBase, words);
        place += 1;
        return { passage, vector, terms };
      });
      const [first] = passages;
      if (first !== undefined)
        await index.replaceDocument(summaryOf(first, passages.length), indexed, { signal });
    }
    count += texts.length;
    onProgress?.({ done: start + batch.length, total: documents.length });
  }
  return count;
}

/** The passages of a document of a labelled collection, cut as the product cuts. */
export function toPassages({ id, title, text }: BeirDocument, knowledgeBase: string): Passage[] {
  const language = detectLanguage(text);
  const address = { knowledgeBase, documentId: id };
  const idOf = createPassageIds(address);
  const drafts = splitIntoPassages({
    title,
    language,
    languageIsGiven: false,
    tags: [],
    blocks: [{ type: 'text', text }],
  });
  return drafts.map((draft, position) => ({
    ...address,
    ...draft,
    id: idOf(draft.headings, draft.text),
    title,
    position,
    updatedAt: new Date(0).toISOString(),
  }));
}

function summaryOf(passage: Passage, passages: number): DocumentSummary {
  const { knowledgeBase, documentId, title, language, tags, updatedAt, id } = passage;
  return {
    knowledgeBase,
    documentId,
    title,
    language,
    tags,
    updatedAt,
    passages,
    origin: 'upload',
    contentHash: id,
  };
}
