import { z } from 'zod';

/** What has left this process and comes back: from an engine, from a file. The order of fields is that of exports. */

const language = z.enum(['en', 'zh']);

export const passageSchema = z.object({
  id: z.string(),
  knowledgeBase: z.string(),
  documentId: z.string(),
  title: z.string(),
  headings: z.array(z.string()),
  text: z.string(),
  kind: z.enum(['text', 'faq']),
  language,
  url: z.string().optional(),
  tags: z.array(z.string()),
  position: z.number(),
  tokens: z.number(),
  updatedAt: z.string(),
});

export const documentSchema = z.object({
  knowledgeBase: z.string(),
  documentId: z.string(),
  title: z.string(),
  language,
  url: z.string().optional(),
  tags: z.array(z.string()),
  origin: z.enum(['folder', 'upload']),
  contentHash: z.string(),
  passages: z.number(),
  updatedAt: z.string(),
});

export const fingerprintSchema = z.object({
  embedder: z.string(),
  dimensions: z.number().int().min(0),
  analyzer: z.string(),
});
