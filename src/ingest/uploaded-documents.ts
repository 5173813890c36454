import { AppError, toAppError, toPublicError } from '../errors.js';
import type { PassageIndex } from '../retrieve/passage-index.js';
import type { DocumentService, UploadResult } from '../stream/document-service.js';
import type { Logger } from '../telemetry/logger.js';
import type { Ingestor } from './ingestor.js';
import type { KnowledgeBaseRegistry } from './knowledge-base-registry.js';

export interface UploadedDocumentsOptions {
  index: PassageIndex;
  ingestor: Ingestor;
  knowledgeBases: KnowledgeBaseRegistry;
  logger: Logger;
}

/** Documents that came by the API or the command line, beside those that follow the knowledge folder. */
export function createUploadedDocuments(options: UploadedDocumentsOptions): DocumentService {
  const { index, ingestor, knowledgeBases, logger } = options;
  return {
    list: (knowledgeBase) => index.listDocuments(knowledgeBase),
    async read(knowledgeBase, documentId) {
      const document = await index.findDocument(knowledgeBase, documentId);
      if (document === null) return undefined;
      return { document, passages: await index.readDocument(knowledgeBase, documentId) };
    },
    async ingest(id, files, { signal }) {
      const knowledgeBase = knowledgeBases.ensure(id);
      const results: UploadResult[] = [];
      for (const { name, bytes } of files) {
        const document = { knowledgeBase, documentId: name, content: bytes, origin: 'upload' as const };
        results.push(
          await ingestor.ingestDocument(document, { signal }).catch((thrown: unknown): UploadResult => {
            const error = toAppError(thrown);
            if (error.code === 'stopped' || error.code === 'unavailable') throw error;
            if (error.code === 'internal') logger.error('A document could not be ingested', { name, error });
            return { documentId: name, status: 'failed', passages: 0, error: toPublicError(error) };
          }),
        );
      }
      return results;
    },
    async delete(knowledgeBase, documentId) {
      const document = await index.findDocument(knowledgeBase, documentId);
      if (document?.origin === 'folder') {
        throw new AppError(
          'conflict',
          'This document follows a file of the knowledge folder: remove the file.',
        );
      }
      const signal = new AbortController().signal;
      return ingestor.deleteDocument({ knowledgeBase, documentId }, { signal });
    },
  };
}
