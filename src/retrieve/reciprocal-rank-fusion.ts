import type { BranchScore, Candidate, Passage } from '../types.js';
import type { BranchHit, BranchHits } from './passage-index.js';

/** Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet" (SIGIR 2009): 60 there too. */
const RANK_OFFSET = 60;

/**
 * Fuses searches by rank: a passage scores the sum of 1 / (60 + rank) over the branches that found it, of every search
 * (a question may be searched for in two languages). Each branch's rank and score stay with the candidate: of several
 * searches, those of the best rank. Best first, ties by passage id, `limit` at most.
 */
export function fuseByReciprocalRank(searches: readonly BranchHits[], limit: number): Candidate[] {
  const found = new Map<string, Found>();
  for (const { lexical, dense } of searches) {
    addBranch(found, 'lexical', lexical);
    addBranch(found, 'dense', dense);
  }
  return [...found.values()]
    .sort((a, b) => b.fused - a.fused || compareIds(a.passage.id, b.passage.id))
    .slice(0, limit)
    .map(({ passage, lexical, dense, fused }, index) => ({
      passage,
      scores: {
        ...(lexical === undefined ? {} : { lexical }),
        ...(dense === undefined ? {} : { dense }),
        fused: { score: fused, rank: index + 1 },
      },
    }));
}

/** A passage that some branch found. */
interface Found extends Record<keyof BranchHits, BranchScore | undefined> {
  passage: Passage;
  fused: number;
}

function addBranch(found: Map<string, Found>, branch: keyof BranchHits, hits: readonly BranchHit[]): void {
  const seen = new Set<string>();
  for (const { passage, score, rank } of hits) {
    if (seen.has(passage.id)) continue;
    seen.add(passage.id);
    const known = found.get(passage.id) ?? { passage, lexical: undefined, dense: undefined, fused: 0 };
    if (rank < (known[branch]?.rank ?? Number.POSITIVE_INFINITY)) known[branch] = { score, rank };
    known.fused += 1 / (RANK_OFFSET + rank);
    found.set(passage.id, known);
  }
}

/** Plain code-unit order: the same on every machine, unlike `localeCompare`. */
export function compareIds(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
