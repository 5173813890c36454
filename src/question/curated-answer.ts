import type { KnowledgeBase } from '../ingest/knowledge-base.js';
import type { Analyzer } from '../retrieve/analyzer.js';
import type { Embedder } from '../retrieve/embedder.js';
import type { Candidate, Question } from '../types.js';

/** A curated pair whose question is the one that was asked. */
export interface CuratedHit {
  candidate: Candidate;
  /** The curated question. */
  asked: string;
  /** Cosine of the two questions, -1 to 1. */
  score: number;
}

/** Finds the curated pair that answers this very question; null where none is near enough. Never throws: then there is none. */
export type FindCurated = (
  question: Question,
  candidates: readonly Candidate[],
  options: { knowledgeBase: KnowledgeBase; signal: AbortSignal },
) => Promise<CuratedHit | null>;

/**
 * Cosine of two questions from which on they ask the same, for the bundled embedder. Of 36 paraphrases of curated
 * questions 32 reach it; of 148 other questions, 30 of them near ones, the best reaches 0.76
 * (`test/fixtures/demo-curated.jsonl`). `kb.yaml` may set another one for another model.
 */
const BAR = 0.85;
/** Share of common terms, so that a model of another scale does not take every question for the same. */
const LEAST_COMMON_TERMS = 0.3;
/** Curated pairs that are compared: retrieval has put the nearest first. */
const COMPARED = 3;

export function createFindCurated({
  embedder,
  analyzer,
}: {
  embedder: Embedder | null;
  analyzer: Pick<Analyzer, 'analyzeQuestion'>;
}): FindCurated {
  return async ({ standalone }, candidates, { knowledgeBase, signal }) => {
    if (embedder === null || !knowledgeBase.understanding.faq) return null;
    const pairs = candidates.filter(({ passage }) => passage.kind === 'faq').slice(0, COMPARED);
    if (pairs.length === 0) return null;
    const questions = pairs.map(({ passage }) => passage.headings.at(-1) ?? '');
    const texts = [standalone, ...questions];
    const [asked, ...curated] = await embedder.embed(texts, { kind: 'query', signal }).catch(() => []);
    if (asked === undefined) return null;
    const hits = pairs.map((candidate, index) => ({
      candidate,
      asked: questions[index] ?? '',
      score: cosine(asked, curated[index]),
    }));
    const [best] = hits.sort((a, b) => b.score - a.score);
    if (best === undefined || best.score < (knowledgeBase.faqBar ?? BAR)) return null;
    const terms = (text: string): Set<string> => new Set(analyzer.analyzeQuestion(text, knowledgeBase));
    return commonShare(terms(standalone), terms(best.asked)) < LEAST_COMMON_TERMS ? null : best;
  };
}

/** Of unit vectors. */
function cosine(a: Float32Array, b: Float32Array | undefined): number {
  return b === undefined ? -1 : a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

function commonShare(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const common = [...a].filter((term) => b.has(term)).length;
  return common / Math.max(1, a.size + b.size - common);
}
