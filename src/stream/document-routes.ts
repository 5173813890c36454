import { type Request, Router } from 'express';
import { z } from 'zod';
import { AppError } from '../errors.js';
import { requireVisible } from './access.js';
import { clientGoneSignal } from './client-gone.js';
import type { DocumentService } from './document-service.js';
import { identityOf, needs } from './identify.js';
import type { KnowledgeBases } from './knowledge-bases.js';
import type { ReadUpload } from './multer-upload.js';
import { parseInput } from './parse-input.js';
import { methodNotAllowed } from './request-errors.js';

export interface DocumentRoutesOptions {
  documents: DocumentService;
  knowledgeBases: KnowledgeBases;
  readUpload: ReadUpload;
}

const CONTROL_CHARACTER = /\p{Cc}|\p{Surrogate}/u;

/** A relative path, `/`-separated, that stays inside its knowledge base. */
export const documentIdSchema = z
  .string()
  .min(1)
  .max(512)
  .refine((id) => !CONTROL_CHARACTER.test(id) && !id.includes('\\'), 'must be a plain path')
  .refine(
    (id) => id.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
    'must be a relative path without "." and ".."',
  );

export function createDocumentRoutes(options: DocumentRoutesOptions): Router {
  const { documents, knowledgeBases, readUpload } = options;
  const router = Router();

  router
    .route('/v1/knowledge-bases/:knowledgeBase/documents')
    .get(needs('search', 'ingest'), async (request, response) => {
      const { id } = requireVisible(identityOf(request), knowledgeBases, request.params.knowledgeBase);
      response.json({ documents: await documents.list(id) });
    })
    .post(needs('ingest'), async (request, response) => {
      const signal = clientGoneSignal(response);
      const { id } = requireVisible(identityOf(request), knowledgeBases, request.params.knowledgeBase);
      if (!request.is('multipart/form-data')) {
        throw new AppError('unsupported-media-type', 'Send the files as multipart/form-data.');
      }
      const files = await readUpload(request, response);
      if (files.length === 0) throw new AppError('invalid', 'No file was sent.');
      for (const { name } of files) parseInput(z.object({ filename: documentIdSchema }), { filename: name });
      response.json({ results: await documents.ingest(id, files, { signal }) });
    })
    .all(methodNotAllowed('GET', 'POST'));

  const address = (request: Request<{ knowledgeBase: string; documentId: string[] }>) => ({
    knowledgeBase: requireVisible(identityOf(request), knowledgeBases, request.params.knowledgeBase).id,
    documentId: parseInput(documentIdSchema, request.params.documentId.join('/')),
  });
  const noDocument = (): AppError => new AppError('not-found', 'There is no such document.');

  router
    .route('/v1/knowledge-bases/:knowledgeBase/documents/*documentId')
    .get(needs('search', 'ingest'), async (request, response) => {
      const { knowledgeBase, documentId } = address(request);
      const found = await documents.read(knowledgeBase, documentId);
      if (found === undefined) throw noDocument();
      response.json(found);
    })
    .delete(needs('ingest'), async (request, response) => {
      const { knowledgeBase, documentId } = address(request);
      if (!(await documents.delete(knowledgeBase, documentId))) throw noDocument();
      response.status(204).end();
    })
    .all(methodNotAllowed('GET', 'DELETE'));

  return router;
}
