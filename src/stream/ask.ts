import { z } from 'zod';
import { knowledgeBaseIdSchema } from '../ingest/knowledge-base.js';

/** UTF-16 code units of a question. */
export const MAX_QUESTION_LENGTH = 4000;
export const MAX_IMAGES = 4;
/** Characters of a data URL: about 3 MB of image. */
export const MAX_IMAGE_LENGTH = 4_000_000;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Text a person wrote: not blank, whole characters only. */
export const writtenText = (maxLength: number): z.ZodString =>
  z
    .string()
    .max(maxLength)
    .refine((text) => text.trim() !== '', 'must not be empty')
    .refine((text) => !LONE_SURROGATE.test(text) && !text.includes('\0'), 'must be well-formed text');

export const imageSchema = z
  .string()
  .max(MAX_IMAGE_LENGTH)
  .regex(
    /^data:image\/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/]+={0,2}$/,
    'must be a data URL of a PNG, JPEG, WebP or GIF image',
  )
  .refine(isWhatItSays, 'must be an image of the type it says');

/** First bytes of each type: https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern */
const SIGNATURES: Record<string, RegExp> = {
  png: /^89504e470d0a1a0a/,
  jpeg: /^ffd8ff/,
  webp: /^52494646.{8}57454250/,
  gif: /^47494638(?:37|39)61/,
};

function isWhatItSays(url: string): boolean {
  const [, type = '', data = ''] = /^data:image\/(\w+);base64,(.{0,24})/.exec(url) ?? [];
  return SIGNATURES[type]?.test(Buffer.from(data, 'base64').toString('hex')) ?? false;
}

/** What `question-ask` and `POST /v1/answers` take. Unknown fields are refused: nobody sends prompts along. */
export const askSchema = z.strictObject({
  /** Absent: a new conversation. */
  conversationId: z.uuid().optional(),
  knowledgeBase: knowledgeBaseIdSchema,
  text: writtenText(MAX_QUESTION_LENGTH),
  /** A message of the conversation that is to be answered once more: both versions stay, and later ones build on this one. */
  regenerates: z.uuid().optional(),
  images: z.array(imageSchema).max(MAX_IMAGES).optional(),
});

/** What names a message in every route and event. */
export const messageIdSchema = z.uuid();

/** The last `seq` a client has; -1 where it has none. */
export const afterSeqSchema = z.number().int().min(-1);

/** A whole number as it stands in a query or a header. */
export const integerTextSchema = z
  .string()
  .regex(/^-?\d{1,9}$/, 'must be a whole number')
  .transform(Number);
