import { z } from 'zod';

/**
 * The parts of Hugging Face's `tokenizer.json` that decide about ids. Components that we do not know keep their
 * `type` and are refused by name where they are built.
 */
const component = z.looseObject({ type: z.string() });
export type TokenizerComponent = z.infer<typeof component>;

export const addedTokenSchema = z.object({
  id: z.number().int(),
  content: z.string().min(1),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().default(false),
});
export type AddedToken = z.infer<typeof addedTokenSchema>;

export const tokenizerJsonSchema = z.object({
  added_tokens: z.array(addedTokenSchema).default([]),
  normalizer: component.nullish(),
  pre_tokenizer: component.nullish(),
  post_processor: component.nullish(),
  model: z.looseObject({ type: z.string().optional() }),
});
export type TokenizerJson = z.infer<typeof tokenizerJsonSchema>;

/** A component that this implementation does not know; another one may. */
export class UnknownComponentError extends Error {
  override readonly name = 'UnknownComponentError';
}
