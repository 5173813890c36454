/** The language of a text, as far as prompts, stemming and messages care. */
export type Language = 'en' | 'zh';

/** A piece of a document, small enough to rerank and to quote: the unit that is indexed, cited and shown. */
export interface Passage {
  /** UUIDv5 over knowledge base, document and content: the same content always has the same id. */
  id: string;
  knowledgeBase: string;
  /** Path of the document inside its knowledge base, `/`-separated: `en/returns.md`. */
  documentId: string;
  /** Title of the document. */
  title: string;
  /** Headings above the passage, outermost first, without the title. */
  headings: string[];
  /** The passage itself, as it is shown and quoted. Markdown where the source had structure. */
  text: string;
  /** `faq`: `headings` ends with the curated question and `text` is its curated answer. */
  kind: 'text' | 'faq';
  language: Language;
  url?: string;
  tags: string[];
  /** Place in the document, from 0 without gaps. */
  position: number;
  /** Size of `text` by `countTokens`. */
  tokens: number;
  /** ISO 8601, when the document was last ingested with a change. */
  updatedAt: string;
}

/** A document as the index knows it. */
export interface DocumentSummary {
  knowledgeBase: string;
  documentId: string;
  title: string;
  language: Language;
  url?: string;
  tags: string[];
  /** `folder`: follows a file of `knowledge/`, and goes when the file goes. `upload`: came by API or CLI, and stays. */
  origin: 'folder' | 'upload';
  /** sha256 (hex) of what was read: unchanged content is not ingested again. */
  contentHash: string;
  passages: number;
  updatedAt: string;
}

/** Rank counts from 1. */
export interface BranchScore {
  score: number;
  rank: number;
}

/** What a cross-encoder says of one passage. */
export interface RerankScore {
  /** Raw output of the model, unbounded. */
  logit: number;
  /** 1 / (1 + e^-logit), 0 to 1: the product's relevance scale. Thresholds apply to this number only. */
  sigmoid: number;
  /** How many windows the passage was cut into for the model; the best one gave the score. */
  windows: number;
  /** Whether some of the passage was seen by no window. */
  truncated: boolean;
}

/** Every score of a candidate; a branch that did not find it (or did not run) is absent. Nothing is rescaled. */
export interface CandidateScores {
  /** BM25 over analysed terms. */
  lexical?: BranchScore;
  /** Cosine of the embeddings, -1 to 1. */
  dense?: BranchScore;
  /** Reciprocal rank fusion of the branches. */
  fused: BranchScore;
  rerank?: RerankScore & {
    /** What reranked candidates are put in order by: the logit, plus the lexical score by the model's weight for it. */
    order: number;
    rank: number;
  };
}

/** Why a candidate was handed to the answer step, or why it was not. */
export type Decision = 'kept' | 'below-threshold' | 'duplicate' | 'diversity' | 'budget' | 'limit';

export interface Candidate {
  passage: Passage;
  scores: CandidateScores;
}

export interface JudgedCandidate extends Candidate {
  decision: Decision;
}

/** A stretch of the passage's text and what it did for the score. */
export interface RelevancePiece {
  /** Half-open range of UTF-16 code units in the passage's text. */
  span: [number, number];
  /** Logit of the passage less the logit without this stretch: above 0 it made the passage more relevant. */
  effect: number;
}

export interface RelevanceExplanation {
  model: string;
  logit: number;
  /** In order of the text; together they are all its words. */
  pieces: RelevancePiece[];
}

/** A question as it was understood. */
export interface Question {
  /** What the person wrote, normalised (NFKC for matching is done later; this is for showing). */
  text: string;
  /** The question with its context written out: what retrieval and reranking see. */
  standalone: string;
  language: Language;
  /** `standalone` in the language of the knowledge base, where that is another one: searched and reranked with too. */
  translation?: { text: string; language: Language };
}

/** One finished exchange of a conversation. */
export interface Turn {
  question: string;
  standalone: string;
  answer: string;
  /** The answer asked back for what was missing; the next question may be the reply. */
  asksBack?: boolean;
  /** Nothing was found to answer from: only the question belongs to the conversation. */
  unanswered?: boolean;
}
