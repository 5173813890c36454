import { z } from 'zod';
import { AppError } from '../errors.js';
import { sigmoid } from '../inference/sigmoid.js';
import type { RerankScore } from '../types.js';
import type { Reranker } from './reranker.js';

export interface HttpRerankerOptions {
  /** The whole address of the endpoint: `http://host:8080/rerank`, `https://host/v1/rerank`. */
  url: string;
  /** Sent along; services with one model ignore it. */
  model: string;
  timeoutMs?: number;
}

/** Cohere's and Jina's reply; vLLM, LocalAI and this server itself give the same. */
const cohereReplySchema = z.object({
  results: z.array(z.object({ index: z.number().int(), relevance_score: z.number() })),
});
/** The reply of Text Embeddings Inference. */
const teiReplySchema = z.array(z.object({ index: z.number().int(), score: z.number() }));

type Shape = 'cohere' | 'tei';

/** Statuses that say "I do not understand this body". */
const OTHER_SHAPE_STATUSES = new Set([400, 422]);

/** Another server as the reranker, in either of the two common shapes, found out with the first request. */
export function createHttpReranker(options: HttpRerankerOptions): Reranker {
  const { url, model, timeoutMs = 10_000 } = options;
  let shape: Shape | undefined;

  const post = async (asked: Shape, question: string, texts: readonly string[], signal: AbortSignal) => {
    const body =
      asked === 'cohere'
        ? { model, query: question, documents: texts, top_n: texts.length, return_documents: false }
        : { query: question, texts, raw_scores: true, truncate: true };
    return fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      redirect: 'error',
    });
  };

  const ask = async (question: string, texts: readonly string[], signal: AbortSignal) => {
    const first = shape ?? 'cohere';
    const response = await post(first, question, texts, signal);
    if (shape !== undefined || !OTHER_SHAPE_STATUSES.has(response.status)) return { asked: first, response };
    await response.body?.cancel();
    return { asked: 'tei' as const, response: await post('tei', question, texts, signal) };
  };

  return {
    model,
    threshold: 0.5,
    async score(question, texts, { signal }) {
      if (texts.length === 0) return [];
      try {
        const { asked, response } = await ask(question, texts, signal);
        if (!response.ok) throw await refusal(response);
        const scores = readReply(asked, await response.json());
        shape = asked;
        return inInputOrder(scores, texts.length);
      } catch (thrown) {
        throw translate(thrown, signal);
      }
    },
  };
}

interface IndexedScore {
  index: number;
  score: RerankScore;
}

function readReply(shape: Shape, json: unknown): IndexedScore[] {
  if (shape === 'tei') {
    return teiReplySchema.parse(json).map(({ index, score }) => ({
      index,
      score: { logit: score, sigmoid: sigmoid(score), windows: 1, truncated: false },
    }));
  }
  return cohereReplySchema.parse(json).results.map(({ index, relevance_score: relevance }) => {
    if (!(relevance >= 0 && relevance <= 1)) {
      throw new AppError('unavailable', 'The rerank service gives scores that are not between 0 and 1.');
    }
    return { index, score: { logit: toLogit(relevance), sigmoid: relevance, windows: 1, truncated: false } };
  });
}

/** The service tells no logit; at 0 and 1 it would be infinite, which JSON cannot say. */
function toLogit(relevance: number): number {
  const inside = Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, relevance));
  return Math.log(inside / (1 - inside));
}

function inInputOrder(scores: readonly IndexedScore[], count: number): RerankScore[] {
  const ordered = new Array<RerankScore | undefined>(count);
  for (const { index, score } of scores) ordered[index] = score;
  if (scores.length !== count || ordered.length !== count || ordered.includes(undefined)) {
    throw new AppError('unavailable', 'The rerank service did not score every passage.');
  }
  return ordered as RerankScore[];
}

async function refusal(response: Response): Promise<AppError> {
  const said = (await response.text().catch(() => '')).slice(0, 500);
  const cause = new Error(`HTTP ${response.status}: ${said}`);
  if (response.status === 429 || response.status === 503) {
    const seconds = Number(response.headers.get('retry-after'));
    return new AppError('overloaded', 'The rerank service is busy.', {
      cause,
      retryAfterSeconds: Number.isFinite(seconds) && seconds > 0 ? seconds : 1,
    });
  }
  return new AppError('unavailable', 'The rerank service refused the request.', {
    cause,
    retryable: response.status >= 500,
  });
}

function translate(thrown: unknown, signal: AbortSignal): AppError {
  if (thrown instanceof AppError) return thrown;
  const aborted = signal.aborted ? signal.reason : thrown;
  if (aborted instanceof Error && aborted.name === 'TimeoutError') {
    return new AppError('timeout', 'The rerank service took too long.', { cause: thrown });
  }
  if (signal.aborted) return new AppError('stopped', undefined, { cause: thrown });
  if (thrown instanceof z.ZodError || thrown instanceof SyntaxError) {
    return new AppError('unavailable', 'The rerank service gave a reply of an unknown shape.', {
      cause: thrown,
    });
  }
  return new AppError('unavailable', 'The rerank service could not be reached.', { cause: thrown });
}
