import { v5 } from 'uuid';
import { type Analyzer, createAnalyzer } from '../../src/retrieve/analyzer.js';
import { weighPassageTerms } from '../../src/retrieve/lexical-weights.js';
import type { IndexedPassage } from '../../src/retrieve/passage-index.js';
import type { DocumentSummary, Passage } from '../../src/types.js';

const NAMESPACE = '6f1b1a5e-3a55-4f0e-9a41-0d2d6c1f0a11';
const analyzer: Analyzer = createAnalyzer();

/** A passage with the given fields; its id follows from knowledge base, document and text. */
export function passageOf(knowledgeBase: string, fields: Partial<Passage> = {}): Passage {
  const documentId = fields.documentId ?? 'en/returns.md';
  const text = fields.text ?? 'You may return anything within 30 days.';
  return {
    id: v5(`${knowledgeBase}\0${documentId}\0${text}`, NAMESPACE),
    knowledgeBase,
    documentId,
    title: 'Returns',
    headings: [],
    text,
    kind: 'text',
    language: 'en',
    tags: [],
    position: 0,
    tokens: 8,
    updatedAt: '2026-11-21T00:00:00.000Z',
    ...fields,
  };
}

export function documentOf(passage: Passage, fields: Partial<DocumentSummary> = {}): DocumentSummary {
  return {
    knowledgeBase: passage.knowledgeBase,
    documentId: passage.documentId,
    title: passage.title,
    language: passage.language,
    tags: passage.tags,
    origin: 'folder',
    contentHash: 'a'.repeat(64),
    passages: 1,
    updatedAt: passage.updatedAt,
    ...fields,
  };
}

/** Terms as the analyzer gives them, and the given vector. */
export function indexed(passage: Passage, vector: readonly number[] | null = null): IndexedPassage {
  const terms = weighPassageTerms(passage.knowledgeBase, termsOf(passage.text));
  return { passage, vector: vector === null ? null : unit(vector), terms };
}

export function termsOf(text: string): string[] {
  return analyzer.analyze(text, { dictionary: [], synonyms: [] });
}

/** What a question is searched by: each term counts in full. */
export function alike(terms: readonly string[]): Map<string, number> {
  return new Map(terms.map((term) => [term, 1]));
}

export function unit(values: readonly number[]): Float32Array {
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
}
