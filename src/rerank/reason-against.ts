import type { NoAnswerReason } from '../frames.js';
import type { Reranking } from './rerank-candidates.js';

/** Why nothing is answered from these candidates; null where something is. */
export function reasonAgainst({
  candidates,
  answerability,
}: Pick<Reranking, 'candidates' | 'answerability'>): NoAnswerReason | null {
  if (candidates.length === 0) return 'no-hits';
  if (!candidates.some(({ decision }) => decision === 'kept')) return 'below-threshold';
  if (answerability !== undefined && answerability.probability < answerability.threshold)
    return 'out-of-scope';
  return null;
}
