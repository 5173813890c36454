import { AppError, toAppError } from '../errors.js';
import type { Logger } from '../telemetry/logger.js';
import type { Analyzer } from './analyzer.js';
import type { Embedder } from './embedder.js';
import type { BranchHits, PassageIndex, SearchQuery } from './passage-index.js';
import { fuseByReciprocalRank } from './reciprocal-rank-fusion.js';
import type { RetrieveCandidates, RetrieveOptions } from './retrieve-candidates.js';

export interface RetrieverOptions {
  index: Pick<PassageIndex, 'search' | 'searchedWith'>;
  /** The embedder of that name and dimension; null where it is not to be had: only the lexical branch runs then. */
  embedderOf: (made: { embedder: string; dimensions: number }) => Promise<Embedder | null>;
  analyzer: Pick<Analyzer, 'weighQuestion' | 'version'>;
  logger: Logger;
  /** Hits per branch. */
  limitPerBranch?: number;
  /** Fused candidates, at most: what the reranker has to read. */
  candidates?: number;
}

/** The index may go over to another making between two steps of a search, once; twice would be a fault. */
const ATTEMPTS = 2;

const NO_LEXICON = { dictionary: [], synonyms: [] };

/**
 * Embeds and analyses the question with what the index is made with, searches both branches in one round trip and fuses
 * them by rank; a question with a translation is searched for in both languages. Where the embedder or that analyzer is not to be had, the other branch carries on alone, and the result
 * says so; a stopped question stops here.
 */
export function createRetriever({
  index,
  embedderOf,
  analyzer,
  logger,
  limitPerBranch = 50,
  candidates = 50,
}: RetrieverOptions): RetrieveCandidates {
  const embedQuestion = async (
    text: string,
    madeWith: SearchQuery['madeWith'],
    signal: AbortSignal,
  ): Promise<Float32Array | null> => {
    try {
      const embedder = await embedderOf(madeWith);
      if (embedder === null) return null;
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

  const toQuery = async (
    text: string,
    { knowledgeBase, signal }: RetrieveOptions,
  ): Promise<SearchQuery & { degraded: string[] }> => {
    const madeWith = await index.searchedWith();
    if (madeWith === null) throw new AppError('unavailable', 'The index is still being made ready.');
    const dense = await embedQuestion(text, madeWith, signal);
    // The terms of another analyzer are other terms, however alike they look.
    const lexicon = knowledgeBase.understanding.lexicon ? knowledgeBase : NO_LEXICON;
    const sameTerms = madeWith.analyzer === analyzer.version;
    if (dense === null && !sameTerms) {
      throw new AppError('unavailable', 'The index was made with a model and an analyzer that are gone.');
    }
    return {
      dense,
      lexical: sameTerms ? analyzer.weighQuestion(text, lexicon) : new Map(),
      madeWith,
      degraded: [...(dense === null ? ['dense'] : []), ...(sameTerms ? [] : ['lexical'])],
    };
  };

  const search = async (
    text: string,
    options: RetrieveOptions,
  ): Promise<{ hits: BranchHits; degraded: string[] }> => {
    const { knowledgeBase, filter, signal } = options;
    for (let attempt = 1; ; attempt += 1) {
      const { degraded, ...query } = await toQuery(text, options);
      try {
        const hits = await index.search(query, {
          knowledgeBase: knowledgeBase.id,
          limit: limitPerBranch,
          signal,
          ...(filter === undefined ? {} : { filter }),
        });
        return { hits, degraded };
      } catch (thrown) {
        if (toAppError(thrown).code !== 'conflict' || attempt === ATTEMPTS) throw thrown;
      }
    }
  };

  return async (question, options) => {
    const { standalone, translation } = question;
    const texts = translation === undefined ? [standalone] : [standalone, translation.text];
    const searches = await Promise.all(texts.map((text) => search(text, options)));
    return {
      candidates: fuseByReciprocalRank(
        searches.map(({ hits }) => hits),
        candidates,
      ),
      degraded: [...new Set(searches.flatMap(({ degraded }) => degraded))],
    };
  };
}
