import { toAppError } from '../errors.js';
import type { Analyzer } from '../retrieve/analyzer.js';
import type { Logger } from '../telemetry/logger.js';
import { judgeAnswerability, readSignals } from './answerability.js';
import type { RerankCandidates } from './rerank-candidates.js';
import type { Reranker } from './reranker.js';
import { scoreCandidates } from './score-candidates.js';
import { DEFAULT_LIMITS, type SelectionLimits, selectPassages } from './select-passages.js';
import { thresholdFor } from './threshold.js';

export interface CandidateRerankerOptions {
  /** Null where none is installed: the fused order stands. */
  reranker: Reranker | null;
  analyzer: Pick<Analyzer, 'analyze' | 'analyzeQuestion'>;
  logger: Logger;
  limits?: SelectionLimits;
  /** A question that waits longer goes on in fused order. */
  timeoutMs?: number;
}

/** Reads each candidate beside the question and keeps what is relevant; without a reranker the fused order stands. */
export function createCandidateReranker(options: CandidateRerankerOptions): RerankCandidates {
  const { reranker, analyzer, logger, limits = DEFAULT_LIMITS, timeoutMs = 15_000 } = options;
  return async (question, candidates, { knowledgeBase, signal }) => {
    const inFusedOrder = (): ReturnType<RerankCandidates> =>
      Promise.resolve({
        candidates: selectPassages(candidates, { threshold: null, limits }),
        threshold: null,
        degraded: ['rerank'],
      });
    if (reranker === null) return inFusedOrder();

    // The passages are in the language of the translation, where there is one.
    const { language, text } = question.translation ?? { ...question, text: question.standalone };
    const threshold = thresholdFor(language, knowledgeBase.threshold, reranker.threshold);
    try {
      const scored = await scoreCandidates({ text, language }, candidates, {
        reranker,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      const model = reranker.answerability?.[language];
      const signals = readSignals(analyzer.analyzeQuestion(text, knowledgeBase), scored, (passage) =>
        analyzer.analyze(passage, knowledgeBase),
      );
      return {
        candidates: selectPassages(scored, { threshold, limits }),
        threshold,
        ...(model === undefined || signals === null
          ? {}
          : {
              answerability: judgeAnswerability(
                { ...model, threshold: knowledgeBase.answerability ?? model.threshold },
                signals,
              ),
            }),
        degraded: [],
      };
    } catch (thrown) {
      const error = toAppError(thrown);
      if (signal.aborted) throw error;
      logger.warn('The reranker failed; the fused order stands.', { model: reranker.model, error });
      return inFusedOrder();
    }
  };
}
