import type { BranchScore, DocumentSummary, Passage } from '../types.js';
import type { WeightedTerms } from './lexical-weights.js';

/** A passage with what the two branches search by. */
export interface IndexedPassage {
  passage: Passage;
  /** Unit vector of the index's dimension, or null where no embedder was available. */
  vector: Float32Array | null;
  /** What `weighPassageTerms` gives for the analysed terms of the passage. */
  terms: WeightedTerms;
}

export interface SearchQuery {
  /** Unit vector; null skips the dense branch. */
  dense: Float32Array | null;
  /** Analysed terms with what each counts; empty skips the lexical branch. */
  lexical: ReadonlyMap<string, number>;
  /** What both were made with: one of another making would find nonsense. `searchedWith` says what is wanted. */
  madeWith: IndexFingerprint;
}

/** All given conditions must hold. */
export interface PassageFilter {
  documentIds?: readonly string[];
  language?: Passage['language'];
  /** A passage carries at least one of them. */
  tags?: readonly string[];
}

export interface SearchOptions {
  knowledgeBase: string;
  filter?: PassageFilter;
  /** Hits per branch, at most. */
  limit: number;
  signal: AbortSignal;
}

/** Ranks count from 1, best first; ties are ordered by passage id. */
export interface BranchHit extends BranchScore {
  passage: Passage;
}

export interface BranchHits {
  /** Score: BM25 with weights of `lexical-weights.ts`, each term by what it counts in the question. */
  lexical: BranchHit[];
  /** Score: cosine. */
  dense: BranchHit[];
}

export interface IndexDescription {
  engine: 'sqlite' | 'qdrant';
  /** What the vectors and terms were made with; null while the index is empty. */
  builtWith: IndexFingerprint | null;
  passages: number;
  knowledgeBases: { knowledgeBase: string; documents: number; passages: number }[];
}

/** What vectors and terms are made with. Those of two makings cannot be compared. */
export interface IndexFingerprint {
  /** Name of the embedding model, or 'none'. */
  embedder: string;
  /** Dimension of the vectors; 0 without an embedder. */
  dimensions: number;
  /** `ANALYZER_VERSION` of `analyzer.ts`. */
  analyzer: string;
}

export function sameFingerprint(a: IndexFingerprint | null, b: IndexFingerprint): boolean {
  return a?.embedder === b.embedder && a.dimensions === b.dimensions && a.analyzer === b.analyzer;
}

/**
 * Where passages live and are found. Throws AppError `unavailable` (retryable) where the engine cannot be
 * reached, `invalid` where vectors have the wrong dimension. Whoever creates it closes it.
 */
export interface PassageIndex {
  /**
   * Replaces all passages of a document: readers see the old ones or the new ones, never neither. A passage id that
   * comes twice counts once, and `document.passages` is corrected to what was kept. The same content again changes
   * nothing. Resolves when the change is durable. Throws `conflict` before the first `prepare`, `invalid` for a
   * document id with a NUL character.
   */
  replaceDocument(
    document: DocumentSummary,
    passages: readonly IndexedPassage[],
    options: { signal: AbortSignal },
  ): Promise<void>;
  /** Resolves to false where there was no such document. */
  deleteDocument(knowledgeBase: string, documentId: string): Promise<boolean>;
  /** Documents of a knowledge base (of all where undefined), ordered by knowledge base, then document id. */
  listDocuments(knowledgeBase?: string): Promise<DocumentSummary[]>;
  /** What `listDocuments` shows of one document; null where there is no such document. */
  findDocument(knowledgeBase: string, documentId: string): Promise<DocumentSummary | null>;
  /** Passages of one document by position; empty where there is no such document. */
  readDocument(knowledgeBase: string, documentId: string): Promise<Passage[]>;
  /**
   * The same with what they are searched by, bit for bit as it was written: to take it to another index. While passages are
   * made again, those that are searched, as `describe` says what they are made with. Empty where there are none.
   */
  readIndexed(knowledgeBase: string, documentId: string): Promise<IndexedPassage[]>;
  /**
   * What a question must be made with to be searched now; null before the first `prepare`. While the passages are being
   * made again this is what they were made with before. Costs no round trip as a rule.
   */
  searchedWith(): Promise<IndexFingerprint | null>;
  /**
   * Both branches in one round trip. Throws `conflict` where `query.madeWith` is not, or no longer, what is searched:
   * ask `searchedWith` again.
   */
  search(query: SearchQuery, options: SearchOptions): Promise<BranchHits>;
  /**
   * Says what new passages are made with; called at start, before anything is written, and again when documents that
   * waited were made again. Where the index was made with something else it goes over in the background: `listDocuments`
   * shows the documents that wait to be made again with an empty `contentHash`, `readDocument` gives their texts, and
   * `replaceDocument` takes them; searches go on in what was there before, less what is deleted meanwhile. Resolves to
   * true while documents wait, after an interruption too. When none does, the next call lets searches go over, all at
   * once, and drops what was made before.
   */
  prepare(fingerprint: IndexFingerprint): Promise<boolean>;
  /**
   * Runs a bulk load: an engine may put off until its end what makes searches fast. Gives what `run` gives. Where it is
   * interrupted, the next `prepare` makes up for it.
   */
  load<T>(run: () => Promise<T>): Promise<T>;
  describe(): Promise<IndexDescription>;
  /** Null when the engine answers; else the reason it does not, for `/readyz`. */
  isReady(): Promise<string | null>;
  close(): Promise<void>;
}
