import { AppError, toAppError } from '../errors.js';
import type { Logger } from '../telemetry/logger.js';
import type { Analyzer } from './analyzer.js';
import type { Embedder } from './embedder.js';
import type { PassageIndex } from './passage-index.js';
import { fuseByReciprocalRank } from './reciprocal-rank-fusion.js';
import type { RetrieveCandidates } from './retrieve-candidates.js';

export interface RetrieverOptions {
  index: Pick<PassageIndex, 'search'>;
  /** Null where no embedding model is there: only the lexical branch runs. */
  embedder: Embedder | null;
  analyzer: Pick<Analyzer, 'analyzeQuestion'>;
  logger: Logger;
  /** Hits per branch. */
  limitPerBranch?: number;
  /** Fused candidates, at most: what the reranker has to read. */
  candidates?: number;
}

/**
 * Embeds and analyses the question, searches both branches in one round trip and fuses them by rank. Without the
 * embedder the lexical branch carries on alone, and the result says so; a stopped question stops here.
 */
export function createRetriever({
  index,
  embedder,
  analyzer,
  logger,
  limitPerBranch = 50,
  candidates = 50,
}: RetrieverOptions): RetrieveCandidates {
  const embedQuestion = async (text: string, signal: AbortSignal): Promise<Float32Array | null> => {
    if (embedder === null) return null;
    try {
      const [vector] = await embedder.embed([text], { kind: 'query', signal });
      return vector ?? null;
    } catch (thrown) {
      if (signal.aborted) throw new AppError('stopped', undefined, { cause: thrown });
      logger.warn('The question could not be embedded; searching by words only', {
        error: toAppError(thrown),
      });
      return null;
    }
  };

  return async (question, { knowledgeBase, filter, signal }) => {
    const dense = await embedQuestion(question.standalone, signal);
    const lexical = analyzer.analyzeQuestion(question.standalone, knowledgeBase);
    const hits = await index.search(
      { dense, lexical },
      {
        knowledgeBase: knowledgeBase.id,
        limit: limitPerBranch,
        signal,
        ...(filter === undefined ? {} : { filter }),
      },
    );
    return {
      candidates: fuseByReciprocalRank(hits, candidates),
      degraded: dense === null ? ['dense'] : [],
    };
  };
}
