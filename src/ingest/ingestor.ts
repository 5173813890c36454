import { LRUCache } from 'lru-cache';
import { AppError } from '../errors.js';
import { findInstructions } from '../guard/find-instructions.js';
import { passageSearchText } from '../passage-text.js';
import type { Embedder } from '../retrieve/embedder.js';
import { weighPassageTerms } from '../retrieve/lexical-weights.js';
import type { IndexedPassage, PassageIndex } from '../retrieve/passage-index.js';
import type { Logger } from '../telemetry/logger.js';
import type { DocumentSummary, Passage } from '../types.js';
import { contentHash, isMadeAsNow } from './content-hash.js';
import type { DocumentFormat } from './document-format.js';
import { normalizeDocumentId } from './document-id.js';
import type { DocumentReader } from './document-reader.js';
import { createKeyedQueue } from './keyed-queue.js';
import type { KnowledgeBase } from './knowledge-base.js';
import { MAX_FILE_BYTES } from './read-whole.js';
import type { ReadDocument } from './reader-protocol.js';
import { createPassageIds } from './uuid-passage-id.js';

export interface IngestorOptions {
  index: PassageIndex;
  /** Null: passages are found by their words only. */
  embedder: Embedder | null;
  reader: DocumentReader;
  /** Terms of a passage in order, repeats kept; the knowledge base gives dictionary and synonyms. */
  analyze: (text: string, knowledgeBase: KnowledgeBase) => string[];
  logger: Logger;
  now?: () => Date;
}

export interface DocumentToIngest {
  knowledgeBase: KnowledgeBase;
  /** Path inside the knowledge base; its extension says how the content is read, where `format` does not. */
  documentId: string;
  format?: DocumentFormat;
  /** A file's bytes; or text that was typed in, read as Markdown where the name does not say otherwise. */
  content: Uint8Array | string;
  origin: DocumentSummary['origin'];
}

export interface IngestResult {
  /** As it is kept: normalised. */
  documentId: string;
  status: 'added' | 'changed' | 'unchanged';
  /** Passages the document has now. */
  passages: number;
}

/** The only way into the index: one document at a time per document id, whoever asks. */
export interface Ingestor {
  /**
   * Reads, cuts, embeds and indexes a document; content that is there already is left alone. Resolves when the change
   * is durable. Throws AppError `unreadable` naming file and reason, `too-large`, `invalid` for a bad name, `conflict`
   * where an upload and a file of the knowledge folder have the same name, `stopped`, and what index and embedder throw.
   *
   * @param known what the index says of the document, where the caller has just listed it; null: it is not there
   */
  ingestDocument(
    document: DocumentToIngest,
    options: { signal: AbortSignal; known?: DocumentSummary | null },
  ): Promise<IngestResult>;
  /**
   * Gives the passages of a document new vectors and terms, from the index itself, where they were made otherwise than
   * they would be now. False where nothing was to do.
   */
  reindexDocument(
    address: { knowledgeBase: KnowledgeBase; documentId: string },
    options: { signal: AbortSignal },
  ): Promise<boolean>;
  /** False where there was no such document. */
  deleteDocument(
    address: { knowledgeBase: string; documentId: string },
    options: { signal: AbortSignal },
  ): Promise<boolean>;
}

/** Passages embedded and analysed before others get a turn. */
const BATCH_SIZE = 64;
const MAX_WAITING = 10_000;
/** Files that could not be read are not tried again while they are the same. */
const REMEMBERED_REFUSALS = { max: 1000, ttl: 60 * 60 * 1000 };

export function createIngestor(options: IngestorOptions): Ingestor {
  const { index, embedder, reader, analyze, logger, now = () => new Date() } = options;
  const queue = createKeyedQueue({ maxWaiting: MAX_WAITING });
  const refusals = new LRUCache<string, AppError>(REMEMBERED_REFUSALS);
  const keyOf = (knowledgeBase: string, documentId: string): string => `${knowledgeBase}/${documentId}`;

  const read = async (
    document: DocumentToIngest,
    hash: string,
    signal: AbortSignal,
  ): Promise<ReadDocument> => {
    const { knowledgeBase, documentId, content, format } = document;
    const refusalKey = `${keyOf(knowledgeBase.id, documentId)}#${hash}`;
    const refusal = refusals.get(refusalKey);
    if (refusal !== undefined) throw refusal;
    const isText = typeof content === 'string';
    const bytes = isText ? Buffer.from(content) : content;
    try {
      return await reader.read(
        {
          documentId,
          bytes,
          ...(format === undefined ? {} : { format }),
          ...(isText ? { plainFormat: 'markdown' } : {}),
        },
        { signal },
      );
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === 'unreadable') refusals.set(refusalKey, thrown);
      throw thrown;
    }
  };

  /** Where the knowledge base says so, what gives orders to a language model stays outside. */
  const withoutOrders = <Draft extends Pick<Passage, 'headings' | 'text'>>(
    passages: readonly Draft[],
    { id, quarantine }: KnowledgeBase,
    documentId: string,
  ): readonly Draft[] => {
    if (!quarantine) return passages;
    const kept = passages.filter(
      ({ headings, text }) => findInstructions([...headings, text].join('\n')).length === 0,
    );
    const leftOut = passages.length - kept.length;
    if (leftOut > 0) {
      logger.warn('Passages that give orders to a language model were left out', {
        knowledgeBase: id,
        documentId,
        passages: leftOut,
      });
    }
    return kept;
  };

  /** Vectors and terms, a batch at a time, so that neither memory nor the event loop is held for a whole document. */
  const toIndexed = async (
    passages: readonly Passage[],
    knowledgeBase: KnowledgeBase,
    signal: AbortSignal,
  ): Promise<IndexedPassage[]> => {
    const indexed: IndexedPassage[] = [];
    for (let start = 0; start < passages.length; start += BATCH_SIZE) {
      if (signal.aborted) throw new AppError('stopped', undefined, { cause: signal.reason });
      const batch = passages.slice(start, start + BATCH_SIZE);
      const texts = batch.map(passageSearchText);
      const [vectors, terms] = await Promise.all([
        embedder?.embed(texts, { kind: 'passage', signal }),
        nextTurn().then(() => texts.map((text) => analyze(text, knowledgeBase))),
      ]);
      for (const [place, passage] of batch.entries()) {
        const weighed = weighPassageTerms(knowledgeBase.id, terms[place] ?? []);
        indexed.push({ passage, vector: vectors?.[place] ?? null, terms: weighed });
      }
    }
    return indexed;
  };

  return {
    async ingestDocument(document, { signal, known }) {
      const documentId = normalizeDocumentId(document.documentId);
      const { knowledgeBase, content, origin } = document;
      if (content.length > MAX_FILE_BYTES) {
        throw new AppError('too-large', `${documentId}: files may have at most 32 MB.`);
      }
      const ingest = async (): Promise<IngestResult> => {
        const hash = contentHash(content, knowledgeBase);
        const before = known === undefined ? await index.findDocument(knowledgeBase.id, documentId) : known;
        if (before !== null && before.origin !== origin) throw nameIsTaken(documentId, before.origin);
        if (before?.contentHash === hash)
          return { documentId, status: 'unchanged', passages: before.passages };

        const { passages: all, ...found } = await read({ ...document, documentId }, hash, signal);
        const place = { knowledgeBase: knowledgeBase.id, documentId };
        const drafts = withoutOrders(all, knowledgeBase, documentId);
        const updatedAt = now().toISOString();
        const idOf = createPassageIds(place);
        const passages = drafts.map(
          (draft, position): Passage => ({
            id: idOf(draft.headings, draft.text),
            ...place,
            title: found.title,
            ...draft,
            position,
            updatedAt,
          }),
        );
        const indexed = await toIndexed(passages, knowledgeBase, signal);
        const summary = {
          ...place,
          ...found,
          origin,
          contentHash: hash,
          passages: passages.length,
          updatedAt,
        };
        await index.replaceDocument(summary, indexed, { signal });
        logger.debug('Document ingested', { ...place, passages: passages.length });
        return { documentId, status: before === null ? 'added' : 'changed', passages: passages.length };
      };
      return queue.run(keyOf(knowledgeBase.id, documentId), ingest, { signal });
    },

    reindexDocument({ knowledgeBase, documentId }, { signal }) {
      const reindex = async (): Promise<boolean> => {
        const document = await index.findDocument(knowledgeBase.id, documentId);
        if (document === null || isMadeAsNow(document.contentHash, knowledgeBase)) return false;
        const stored = await index.readDocument(knowledgeBase.id, documentId);
        const passages = withoutOrders(stored, knowledgeBase, documentId).map((passage, position) => ({
          ...passage,
          position,
        }));
        const indexed = await toIndexed(passages, knowledgeBase, signal);
        // What was read is not at hand: the hash says how the passages are made now, and of which texts.
        const hash = contentHash(passages.map(({ id }) => id).join(), knowledgeBase);
        await index.replaceDocument({ ...document, contentHash: hash, passages: passages.length }, indexed, {
          signal,
        });
        return true;
      };
      return queue.run(keyOf(knowledgeBase.id, documentId), reindex, { signal });
    },

    deleteDocument({ knowledgeBase, documentId }, { signal }) {
      const remove = (): Promise<boolean> => index.deleteDocument(knowledgeBase, documentId);
      return queue.run(keyOf(knowledgeBase, documentId), remove, { signal });
    },
  };
}

function nameIsTaken(documentId: string, by: DocumentSummary['origin']): AppError {
  const owner = by === 'folder' ? 'a file of the knowledge folder' : 'an uploaded document';
  return new AppError('conflict', `${documentId}: ${owner} has this name already`);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
