import type { Candidate, CandidateScores, Decision, JudgedCandidate } from '../types.js';

export interface SelectionLimits {
  /** Passages that the answer step gets at most. */
  maxPassages: number;
  /** Of them from one document. */
  maxPerDocument: number;
  /** Tokens of all of them together; the best passage is kept even if it alone is larger. */
  maxTokens: number;
}

export const DEFAULT_LIMITS: SelectionLimits = { maxPassages: 6, maxPerDocument: 3, maxTokens: 3000 };

/** Two passages that share this much of the shorter one say the same. */
const SAME_SHARE = 0.9;
const SHINGLE_LENGTH = 5;

/**
 * Sorts the candidates, best first, and decides which are handed to the answer step. Candidates that were
 * reranked are sorted by its order, those that were not in fused order; a threshold of null cuts nothing off.
 */
export function selectPassages(
  candidates: readonly Candidate[],
  { threshold, limits = DEFAULT_LIMITS }: { threshold: number | null; limits?: SelectionLimits },
): JudgedCandidate[] {
  const kept: { candidate: Candidate; shingles: ReadonlySet<string> }[] = [];
  let tokens = 0;

  const decide = (candidate: Candidate): Decision => {
    const { passage, scores } = candidate;
    if (threshold !== null && (scores.rerank?.sigmoid ?? 0) < threshold) return 'below-threshold';
    if (kept.length >= limits.maxPassages) return 'limit';
    const shingles = shinglesOf(passage.text);
    if (kept.some((other) => sharedPart(shingles, other.shingles) >= SAME_SHARE)) return 'duplicate';
    const ofDocument = kept.filter((other) => isOfDocument(other.candidate, candidate)).length;
    if (ofDocument >= limits.maxPerDocument) return 'diversity';
    if (kept.length > 0 && tokens + passage.tokens > limits.maxTokens) return 'budget';
    kept.push({ candidate, shingles });
    tokens += passage.tokens;
    return 'kept';
  };

  return [...candidates]
    .sort(byRelevance)
    .map((candidate) => ({ ...candidate, decision: decide(candidate) }));
}

/** By the reranker's order, in fused order where it did not run. */
export const byRelevance = bestFirst(({ order }) => order);

/** What words add to the order left out. */
export const byLogit = bestFirst(({ logit }) => logit);

function bestFirst(scoreOf: (rerank: NonNullable<CandidateScores['rerank']>) => number) {
  return ({ scores: a }: Candidate, { scores: b }: Candidate): number => {
    const [left, right] = [a.rerank && scoreOf(a.rerank), b.rerank && scoreOf(b.rerank)];
    if (left !== undefined && right !== undefined && left !== right) return right - left;
    return a.fused.rank - b.fused.rank;
  };
}

function isOfDocument({ passage: a }: Candidate, { passage: b }: Candidate): boolean {
  return a.knowledgeBase === b.knowledgeBase && a.documentId === b.documentId;
}

/** All runs of a few letters or digits: the same for texts that differ in spaces, signs and case only. */
function shinglesOf(text: string): ReadonlySet<string> {
  const letters = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
  if (letters.length <= SHINGLE_LENGTH) return new Set([letters]);
  return new Set(
    Array.from({ length: letters.length - SHINGLE_LENGTH + 1 }, (_, start) =>
      letters.slice(start, start + SHINGLE_LENGTH),
    ),
  );
}

/** How much of the smaller set stands in the other, 0 to 1. */
function sharedPart(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  let shared = 0;
  for (const shingle of small) if (large.has(shingle)) shared += 1;
  return shared / small.size;
}
