import type { Candidate } from '../types.js';
import type { BranchHits } from './passage-index.js';

/** Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet" (SIGIR 2009): 60 there too. */
const RANK_OFFSET = 60;

/**
 * Fuses searches by rank: a passage scores the sum of 1 / (60 + rank) over the branches that found it, of every search
 * (a question may be searched for in two languages). Each branch's rank and score stay with the candidate: of several
 * searches, those of the best rank. Best first, ties by passage id, `limit` at most.
 */
export function fuseByReciprocalRank(searches: readonly BranchHits[], limit: number): Candidate[] {
  const candidates = new Map<string, Omit<Candidate, 'scores'> & { scores: Partial<Candidate['scores']> }>();
  const fused = new Map<string, number>();
  const lists = searches.flatMap(({ lexical, dense }) => [
    { branch: 'lexical' as const, hits: lexical },
    { branch: 'dense' as const, hits: dense },
  ]);
  for (const { branch, hits } of lists) {
    const seen = new Set<string>();
    for (const { passage, score, rank } of hits) {
      if (seen.has(passage.id)) continue;
      seen.add(passage.id);
      const candidate = candidates.get(passage.id) ?? { passage, scores: {} };
      const known = candidate.scores[branch];
      if (known === undefined || rank < known.rank) candidate.scores[branch] = { score, rank };
      candidates.set(passage.id, candidate);
      fused.set(passage.id, (fused.get(passage.id) ?? 0) + 1 / (RANK_OFFSET + rank));
    }
  }
  return [...candidates.values()]
    .map((candidate) => ({ ...candidate, score: fused.get(candidate.passage.id) as number }))
    .sort((a, b) => b.score - a.score || compareIds(a.passage.id, b.passage.id))
    .slice(0, limit)
    .map(({ passage, scores, score }, index) => ({
      passage,
      scores: { ...scores, fused: { score, rank: index + 1 } },
    }));
}

/** Plain code-unit order: the same on every machine, unlike `localeCompare`. */
export function compareIds(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
