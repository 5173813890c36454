import { Router } from 'express';
import { requireVisible } from './access.js';
import { clientGoneSignal } from './client-gone.js';
import { identityOf, needs } from './identify.js';
import type { KnowledgeBases } from './knowledge-bases.js';
import { parseInput } from './parse-input.js';
import { methodNotAllowed } from './request-errors.js';
import { type Search, searchRequestSchema } from './search-service.js';

export interface SearchRoutesOptions {
  search: Search;
  knowledgeBases: KnowledgeBases;
}

export function createSearchRoutes({ search, knowledgeBases }: SearchRoutesOptions): Router {
  const router = Router();
  router
    .route('/v1/search')
    .post(needs('search'), async (request, response) => {
      const signal = clientGoneSignal(response);
      const asked = parseInput(searchRequestSchema, request.body);
      requireVisible(identityOf(request), knowledgeBases, asked.knowledgeBase);
      response.json(await search(asked, { signal }));
    })
    .all(methodNotAllowed('POST'));
  return router;
}
