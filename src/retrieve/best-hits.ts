import { compareIds } from './reciprocal-rank-fusion.js';

/** Places with the best scores, at most `limit` of them, best first; ties by passage id. */
export interface BestHits {
  offer(place: number, score: number): void;
  /** What a score must reach to get in: -Infinity while there is room. */
  readonly threshold: number;
  readonly places: readonly number[];
  readonly scores: readonly number[];
}

export function createBestHits(limit: number, ids: readonly string[]): BestHits {
  const places: number[] = [];
  const scores: number[] = [];
  let threshold = limit > 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;

  const comesBefore = (place: number, score: number, at: number): boolean =>
    score > (scores[at] as number) ||
    (score === scores[at] && compareIds(ids[place] as string, ids[places[at] as number] as string) < 0);

  return {
    offer: (place, score) => {
      if (score < threshold) return;
      let at = scores.length;
      while (at > 0 && comesBefore(place, score, at - 1)) at -= 1;
      if (at >= limit) return;
      places.splice(at, 0, place);
      scores.splice(at, 0, score);
      if (scores.length > limit) {
        places.pop();
        scores.pop();
      }
      if (scores.length === limit) threshold = scores[limit - 1] as number;
    },
    get threshold() {
      return threshold;
    },
    places,
    scores,
  };
}
