import { Router } from 'express';
import type { PassageIndex } from '../retrieve/passage-index.js';
import { listVisible } from './access.js';
import { identityOf } from './identify.js';
import type { KnowledgeBases } from './knowledge-bases.js';
import { methodNotAllowed } from './request-errors.js';

/** What answers are written with right now. */
export interface AnsweringModels {
  mode: 'model' | 'extractive';
  /** Names of the chat models in order of preference; empty when extractive. */
  chat: readonly string[];
  /** Null where none is in use. */
  embedder: string | null;
  reranker: string | null;
}

export interface KnowledgeBaseRoutesOptions {
  knowledgeBases: KnowledgeBases;
  index: Pick<PassageIndex, 'describe'>;
  models: () => AnsweringModels;
}

/** What a client needs to offer the knowledge bases to a person. Thresholds, personas and triage stay inside. */
export function createKnowledgeBaseRoutes(options: KnowledgeBaseRoutesOptions): Router {
  const { knowledgeBases, index, models } = options;
  const router = Router();
  router
    .route('/v1/knowledge-bases')
    .get(async (request, response) => {
      const description = await index.describe();
      const counts = new Map(description.knowledgeBases.map((counted) => [counted.knowledgeBase, counted]));
      const { mode, ...names } = models();
      response.json({
        mode,
        models: names,
        knowledgeBases: listVisible(identityOf(request), knowledgeBases).map((knowledgeBase) => ({
          id: knowledgeBase.id,
          title: knowledgeBase.title,
          description: knowledgeBase.description,
          languages: knowledgeBase.languages,
          starters: knowledgeBase.starters,
          disclaimer: knowledgeBase.disclaimer,
          documents: counts.get(knowledgeBase.id)?.documents ?? 0,
          passages: counts.get(knowledgeBase.id)?.passages ?? 0,
        })),
      });
    })
    .all(methodNotAllowed('GET'));
  return router;
}
