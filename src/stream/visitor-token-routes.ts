import { randomUUID } from 'node:crypto';
import { Router } from 'express';
import { z } from 'zod';
import { AppError } from '../errors.js';
import { seesKnowledgeBase } from '../identity/identity.js';
import type { IssueVisitorToken } from '../identity/visitor-token.js';
import { knowledgeBaseIdSchema } from '../ingest/knowledge-base.js';
import { identityOf, needs } from './identify.js';
import { parseInput } from './parse-input.js';
import { methodNotAllowed } from './request-errors.js';

const MOST_SECONDS = 86_400;
const DEFAULT_SECONDS = 900;

export const visitorTokenRequestSchema = z.strictObject({
  knowledgeBases: z.array(knowledgeBaseIdSchema).min(1).max(100),
  /** Pages that may use the token, each one of ALLOWED_ORIGINS: `https://shop.example`. */
  origins: z.array(z.url().max(300)).min(1).max(20),
  /** The same id sees its conversations again with a later token; absent: a new visitor. */
  visitorId: z
    .string()
    .regex(/^[\w.@-]{1,128}$/)
    .optional(),
  lifetimeSeconds: z.number().int().min(10).max(MOST_SECONDS).default(DEFAULT_SECONDS),
});

export const visitorTokenReplySchema = z.object({
  token: z.string(),
  visitorId: z.string(),
  expiresAt: z.string(),
});

export interface VisitorTokenRoutesOptions {
  issueVisitorToken: IssueVisitorToken;
  /** Pages of other sites that may call us. */
  allowedOrigins: readonly string[];
}

/** For the server of a site: a token that its page may hold, where an API key must not be. */
export function createVisitorTokenRoutes(options: VisitorTokenRoutesOptions): Router {
  const { issueVisitorToken, allowedOrigins } = options;
  const router = Router();
  router
    .route('/v1/visitor-tokens')
    .post(needs('ask'), async (request, response) => {
      const identity = identityOf(request);
      if (identity.kind !== 'key') throw new AppError('forbidden', 'This needs an API key.');
      const { visitorId = randomUUID() as string, ...asked } = parseInput(
        visitorTokenRequestSchema,
        request.body,
      );
      if (!asked.knowledgeBases.every((id) => seesKnowledgeBase(identity, id))) {
        throw new AppError('not-found', 'There is no such knowledge base.');
      }
      if (!asked.origins.every((origin) => allowedOrigins.includes(origin))) {
        throw new AppError('invalid', 'origins: each must be one of ALLOWED_ORIGINS');
      }
      const issued = await issueVisitorToken({ visitorId, ...asked }, identity);
      response.json({ ...issued, visitorId });
    })
    .all(methodNotAllowed('POST'));
  return router;
}
