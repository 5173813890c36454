import OpenAI, { APIConnectionTimeoutError, APIError, APIUserAbortError, RateLimitError } from 'openai';
import { AppError } from '../errors.js';
import type { Embedder } from './embedder.js';

export interface OpenAiEmbedderOptions {
  apiKey: string;
  /** With the version: `https://api.openai.com/v1`. */
  baseUrl: string;
  model: string;
  /** Asked of the service: what its large models can be cut to, and many small ones have. */
  dimensions?: number;
  timeoutMs?: number;
}

/** Texts per request: the fewest that a large service allows. */
const TEXTS_AT_ONCE = 10;

/** Any service with OpenAI's `/embeddings`. */
export function createOpenAiEmbedder(options: OpenAiEmbedderOptions): Embedder {
  const { apiKey, baseUrl, model, dimensions = 1024, timeoutMs = 30_000 } = options;
  const openai = new OpenAI({
    apiKey,
    baseURL: baseUrl,
    maxRetries: 2,
    timeout: timeoutMs,
    // Everything is given here: the package would otherwise read the environment and write to the console.
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    logLevel: 'off',
  });

  const embedSome = async (texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]> => {
    try {
      const { data } = await openai.embeddings.create(
        { model, input: [...texts], dimensions, encoding_format: 'float' },
        { signal },
      );
      const vectors = data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => toUnit(embedding));
      if (vectors.length !== texts.length) {
        throw new AppError('unavailable', 'The embedding service did not embed every text.');
      }
      const size = vectors.find(({ length }) => length !== dimensions)?.length;
      if (size !== undefined) {
        throw new AppError('unavailable', `${model} gives vectors of ${size} numbers, not ${dimensions}.`, {
          retryable: false,
        });
      }
      return vectors;
    } catch (thrown) {
      throw translate(thrown, signal);
    }
  };

  return {
    model,
    dimensions,
    async embed(texts, { signal }) {
      const vectors: Float32Array[] = [];
      for (let start = 0; start < texts.length; start += TEXTS_AT_ONCE) {
        vectors.push(...(await embedSome(texts.slice(start, start + TEXTS_AT_ONCE), signal)));
      }
      return vectors;
    },
  };
}

function toUnit(values: readonly number[]): Float32Array {
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => (norm === 0 ? 0 : value / norm));
}

function translate(thrown: unknown, signal: AbortSignal): AppError {
  if (thrown instanceof AppError) return thrown;
  if (signal.aborted || thrown instanceof APIUserAbortError) {
    const timedOut = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
    return new AppError(timedOut ? 'timeout' : 'stopped', undefined, { cause: thrown });
  }
  if (thrown instanceof APIConnectionTimeoutError) {
    return new AppError('timeout', 'The embedding service took too long.', { cause: thrown });
  }
  if (thrown instanceof RateLimitError) {
    return new AppError('overloaded', 'The embedding service is busy.', {
      cause: thrown,
      retryAfterSeconds: 5,
    });
  }
  const status = thrown instanceof APIError ? thrown.status : undefined;
  return new AppError('unavailable', 'The embedding service failed.', {
    cause: thrown,
    retryable: status === undefined || status >= 500,
  });
}
