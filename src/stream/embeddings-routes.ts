import { Router } from 'express';
import { z } from 'zod';
import { countTokens } from '../count-tokens.js';
import { AppError } from '../errors.js';
import type { Embedder } from '../retrieve/embedder.js';
import { clientGoneSignal } from './client-gone.js';
import { needs } from './identify.js';
import { parseInput } from './parse-input.js';
import { methodNotAllowed } from './request-errors.js';

const MAX_INPUTS = 256;
const MAX_INPUT_LENGTH = 100_000;

const inputSchema = z.string().min(1).max(MAX_INPUT_LENGTH);

/** OpenAI's request, for texts. */
export const embeddingsRequestSchema = z.object({
  model: z.string().optional(),
  input: z.union([inputSchema, z.array(inputSchema).min(1).max(MAX_INPUTS)]),
  encoding_format: z.enum(['float', 'base64']).default('float'),
  dimensions: z.number().int().min(1).optional(),
  /** Not OpenAI's: questions and passages may be embedded differently. */
  input_type: z.enum(['query', 'passage']).default('passage'),
});

export const embeddingsReplySchema = z.object({
  object: z.literal('list'),
  model: z.string(),
  data: z.array(
    z.object({
      object: z.literal('embedding'),
      index: z.number().int().min(0),
      /** A unit vector; in base64 its little-endian 32-bit floats. */
      embedding: z.union([z.array(z.number()), z.string()]),
    }),
  ),
  usage: z.object({ prompt_tokens: z.number(), total_tokens: z.number() }),
});

/** The embedder as a service, as OpenAI's clients expect one. */
export function createEmbeddingsRoutes({ embedder }: { embedder: Embedder | null }): Router {
  const router = Router();
  router
    .route('/v1/embeddings')
    .post(needs('search'), async (request, response) => {
      const signal = clientGoneSignal(response);
      const asked = parseInput(embeddingsRequestSchema, request.body);
      response.json(await embed(embedder, asked, signal));
    })
    .all(methodNotAllowed('POST'));
  return router;
}

async function embed(
  embedder: Embedder | null,
  request: z.output<typeof embeddingsRequestSchema>,
  signal: AbortSignal,
): Promise<z.output<typeof embeddingsReplySchema>> {
  if (embedder === null) throw new AppError('unavailable', 'No embedder is installed.', { retryable: false });
  if (request.dimensions !== undefined && request.dimensions !== embedder.dimensions) {
    throw new AppError('invalid', `dimensions: this model gives ${embedder.dimensions}`);
  }
  const inputs = typeof request.input === 'string' ? [request.input] : request.input;
  const tokens = inputs.reduce((sum, input) => sum + countTokens(input), 0);
  const vectors = await embedder.embed(inputs, { kind: request.input_type, signal });
  return {
    object: 'list',
    model: embedder.model,
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: request.encoding_format === 'base64' ? toBase64(vector) : [...vector],
    })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

function toBase64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}
