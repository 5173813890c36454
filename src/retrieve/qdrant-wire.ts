import type { Schemas } from '@qdrant/js-client-rest';
import { v5 } from 'uuid';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { DocumentSummary, Passage } from '../types.js';
import type { IndexedPassage, IndexFingerprint, PassageFilter } from './passage-index.js';
import { documentSchema, fingerprintSchema, passageSchema } from './passage-schemas.js';

/** What stands in the collection, and how it becomes our types. */

export const DENSE = 'dense';
export const LEXICAL = 'lexical';

const metadataSchema = z.object({ askbase: fingerprintSchema });

/** A passage is a point with vectors; a document is a point without, so that no search ever meets it. */
const passagePayloadSchema = z.object({ passage: passageSchema });
const documentPayloadSchema = z.object({ document: documentSchema });

const DOCUMENT_NAMESPACE = '3b7c2d0e-8a0f-4f7e-9c55-0f6a3c1d2e44';

export function documentPointId(knowledgeBase: string, documentId: string): string {
  return v5(`${knowledgeBase}\0${documentId}`, DOCUMENT_NAMESPACE);
}

export function toDocumentPoint(document: DocumentSummary): Schemas['PointStruct'] {
  return {
    id: documentPointId(document.knowledgeBase, document.documentId),
    vector: {},
    payload: {
      type: 'document',
      knowledgeBase: document.knowledgeBase,
      documentId: document.documentId,
      document,
    },
  };
}

export function toPassagePoint({ passage, vector, terms }: IndexedPassage): Schemas['PointStruct'] {
  const { keys, weights } = terms;
  const lexical = { indices: Array.from(keys), values: Array.from(weights) };
  return {
    id: passage.id,
    vector: {
      ...(vector === null ? {} : { [DENSE]: Array.from(vector) }),
      ...(keys.length === 0 ? {} : { [LEXICAL]: lexical }),
    },
    payload: {
      type: 'passage',
      knowledgeBase: passage.knowledgeBase,
      documentId: passage.documentId,
      language: passage.language,
      tags: passage.tags,
      updatedAt: passage.updatedAt,
      passage,
    },
  };
}

/**
 * A passage on its way out: no branch finds it any more, but a search that had found it just before still reads its
 * text. Where its deletion was interrupted, `passagesExcept` finds it again, and nothing else does.
 */
export function toEmptiedPoint({ id, payload }: Schemas['Record']): Schemas['PointStruct'] {
  return { id, vector: {}, payload: { ...payload, type: 'removed' } };
}

/** Fields that are absent come back as absent, not as undefined. */
export function toPassage(payload: unknown): Passage {
  return parse(passagePayloadSchema, payload).passage as Passage;
}

export function toDocument(payload: unknown): DocumentSummary {
  return parse(documentPayloadSchema, payload).document as DocumentSummary;
}

const vectorsSchema = z.object({
  [DENSE]: z.array(z.number()).optional(),
  [LEXICAL]: z.object({ indices: z.array(z.number()), values: z.array(z.number()) }).optional(),
});

/** A point that was read with its vectors. */
export function toIndexedPassage({ payload, vector }: Schemas['Record']): IndexedPassage {
  const { [DENSE]: dense, [LEXICAL]: lexical } = parse(vectorsSchema, vector ?? {});
  return {
    passage: toPassage(payload),
    vector: dense === undefined ? null : Float32Array.from(dense),
    terms: {
      keys: Uint32Array.from(lexical?.indices ?? []),
      weights: Float32Array.from(lexical?.values ?? []),
    },
  };
}

function parse<T>(schema: z.ZodType<T>, payload: unknown): T {
  const parsed = schema.safeParse(payload);
  if (parsed.success) return parsed.data;
  throw new AppError('internal', 'The collection holds a point that Askbase did not write.', {
    cause: parsed.error,
  });
}

export function toMetadata({ embedder, dimensions, analyzer }: IndexFingerprint): Schemas['Payload'] {
  return { askbase: { embedder, dimensions, analyzer } };
}

/** Null where the collection is not one of ours. */
export function toFingerprint(metadata: unknown): IndexFingerprint | null {
  return metadataSchema.safeParse(metadata).data?.askbase ?? null;
}

/** Stands in the metadata beside the fingerprint, once another collection takes this one's place. */
export const RETIRED = { retired: true };

export function isRetired(metadata: unknown): boolean {
  return (metadata as Partial<typeof RETIRED> | null | undefined)?.retired === true;
}

const matches = (key: string, value: string): Schemas['FieldCondition'] => ({
  key,
  match: { value },
});

/** Points of a kind: of a knowledge base, of a document of it. */
export function pointsOf(
  type: 'document' | 'passage',
  scope: { knowledgeBase?: string | undefined; documentId?: string } = {},
): { must: Schemas['Condition'][] } {
  const { knowledgeBase, documentId } = scope;
  return {
    must: [
      matches('type', type),
      ...(knowledgeBase === undefined ? [] : [matches('knowledgeBase', knowledgeBase)]),
      ...(documentId === undefined ? [] : [matches('documentId', documentId)]),
    ],
  };
}

/** All points of a document but its summary and those of the given ids. */
export function passagesExcept(
  { knowledgeBase, documentId }: Pick<DocumentSummary, 'knowledgeBase' | 'documentId'>,
  ids: readonly string[],
): Schemas['Filter'] {
  return {
    must: [matches('knowledgeBase', knowledgeBase), matches('documentId', documentId)],
    must_not: [matches('type', 'document'), ...(ids.length === 0 ? [] : [{ has_id: [...ids] }])],
  };
}

export function toQdrantFilter(knowledgeBase: string, filter: PassageFilter = {}): Schemas['Filter'] {
  const anyOf = (key: string, values: readonly string[] | undefined): Schemas['Condition'][] =>
    values === undefined ? [] : [{ key, match: { any: [...values] } }];
  return {
    must: [
      matches('knowledgeBase', knowledgeBase),
      ...anyOf('documentId', filter.documentIds),
      ...anyOf('tags', filter.tags),
      ...(filter.language === undefined ? [] : [matches('language', filter.language)]),
    ],
  };
}
