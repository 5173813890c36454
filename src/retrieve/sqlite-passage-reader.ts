import { workerData } from 'node:worker_threads';
import { AppError } from '../errors.js';
import { inTransaction, openForReading, type Statement } from '../store/sqlite-database.js';
import { serveMethods } from '../store/worker-rpc.js';
import type { Passage } from '../types.js';
import { checkVector } from './check-vector.js';
import { weighQuestionTerms } from './lexical-weights.js';
import {
  type IndexDescription,
  type IndexedPassage,
  type IndexFingerprint,
  type SearchOptions,
  type SearchQuery,
  sameFingerprint,
} from './passage-index.js';
import { createSearchSpace, type SearchSpace, type SpaceHit } from './search-space.js';
import { createDotProducts } from './simd-dot-products.js';
import { SELECT_SEARCHED, toFloats, toWeightedTerms } from './sqlite-passage-schema.js';

/** Hits of both branches by passage number; every passage once, as JSON, which is parsed where it is needed. */
export interface ReaderHits {
  lexical: SpaceHit[];
  dense: SpaceHit[];
  passages: Map<number, string>;
}

type IndexedRow = [passage: string, vector: Uint8Array | null, keys: Uint8Array, weights: Uint8Array];

interface Searched {
  making: number;
  fingerprint: IndexFingerprint;
}

export type PassageReaderMethods = ReturnType<typeof openReader>;

/**
 * Searches in memory and reads the rest from the file, in a thread and on a connection of its own: a bulk load on the
 * writer's side never holds up a search. Every search first follows what was committed since the last one, by
 * whichever process, and sees one state of the file.
 */
function openReader({ file }: { file: string }) {
  const database = openForReading(file);
  const rowsOf = (sql: string): Statement => {
    const statement = database.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  };
  const readSearched = database.prepare(SELECT_SEARCHED);
  const readMarks = rowsOf(`
    SELECT (SELECT value FROM meta WHERE key = 'generation'),
           coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'passages'), 0),
           coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'removals'), 0)`);
  const readNew = rowsOf(`
    SELECT p.number, d.knowledge_base, d.document_id, p.passage_id, p.language, p.tags, p.vector, p.term_keys,
           p.term_weights
    FROM passages p JOIN documents d ON d.number = p.document
    WHERE p.number > ? AND p.making = ? ORDER BY p.number`);
  const readRemovals = rowsOf('SELECT passage, knowledge_base FROM removals WHERE number > ?');
  const readPassage = database.prepare('SELECT passage FROM passages WHERE number = ?');
  const SELECT_SUMMARY = `
    SELECT CASE WHEN making = coalesce(?2, making) THEN summary ELSE json_set(summary, '$.contentHash', '') END
      AS summary
    FROM documents`;
  const readDocuments = database.prepare(
    `${SELECT_SUMMARY} WHERE ?1 IS NULL OR knowledge_base = ?1 ORDER BY knowledge_base, document_id`,
  );
  const findDocument = database.prepare(`${SELECT_SUMMARY} WHERE knowledge_base = ?1 AND document_id = ?3`);
  const readDocument = database.prepare(
    `SELECT p.passage FROM documents d JOIN passages p ON p.document = d.number AND p.making = d.making
     WHERE d.knowledge_base = ? AND d.document_id = ? ORDER BY p.position`,
  );
  const readIndexed = rowsOf(
    `SELECT p.passage, p.vector, p.term_keys, p.term_weights
     FROM documents d JOIN passages p ON p.document = d.number
     WHERE d.knowledge_base = ? AND d.document_id = ? AND p.making = ? ORDER BY p.position`,
  );
  const countPassages = database.prepare(
    `SELECT knowledge_base AS knowledgeBase, count(DISTINCT d.number) AS documents, count(p.number) AS passages
     FROM documents d LEFT JOIN passages p ON p.document = d.number AND p.making = d.making
     GROUP BY knowledge_base ORDER BY knowledge_base`,
  );

  const NOTHING_KNOWN = { generation: '', passage: 0, removal: 0 };
  const spaces = new Map<string, SearchSpace>();
  let known = NOTHING_KNOWN;
  let searched: Searched | null = null;
  let products = createDotProducts(0);

  const findSearched = (): Searched | null => {
    const row = readSearched.get() as { number: number; fingerprint: string } | undefined;
    return row === undefined ? null : { making: row.number, fingerprint: JSON.parse(row.fingerprint) };
  };

  const follow = (): void => {
    try {
      takeInChanges();
    } catch (thrown) {
      // Half of a change is in memory now: start over with the next call.
      known = NOTHING_KNOWN;
      throw thrown;
    }
  };

  const takeInChanges = (): void => {
    const [generation, passage, removal] = readMarks.get() as unknown as [string, number, number];
    if (generation !== known.generation) {
      spaces.clear();
      known = { ...NOTHING_KNOWN, generation };
      searched = findSearched();
      products = createDotProducts(searched?.fingerprint.dimensions ?? 0);
    }
    if (removal > known.removal) {
      for (const [number, knowledgeBase] of readRemovals.iterate(known.removal)) {
        spaces.get(knowledgeBase)?.remove(number);
      }
    }
    if (passage > known.passage) {
      for (const row of readNew.iterate(known.passage, searched?.making ?? 0)) {
        const [number, knowledgeBase, documentId, id, language, tags, vector, keys, weights] = row;
        const dimensions = searched?.fingerprint.dimensions ?? 0;
        const space = spaces.get(knowledgeBase) ?? createSearchSpace(dimensions, products);
        spaces.set(knowledgeBase, space);
        space.add({
          number,
          id,
          documentId,
          language,
          tags: JSON.parse(tags),
          vector: vector === null ? null : toFloats(vector),
          terms: toWeightedTerms(keys, weights),
        });
      }
      for (const space of spaces.values()) space.settle();
    }
    known = { generation, passage, removal };
  };

  return {
    /** Takes in what was committed since the last call. */
    refresh: (): void => inTransaction(database, 'read', follow),

    search: (query: SearchQuery, options: Omit<SearchOptions, 'signal'>): ReaderHits =>
      inTransaction(database, 'read', () => {
        follow();
        const { knowledgeBase, filter, limit } = options;
        if (!sameFingerprint(searched?.fingerprint ?? null, query.madeWith)) {
          throw new AppError('conflict', 'The index is searched with another embedding model or analyzer.');
        }
        const space = spaces.get(knowledgeBase);
        if (space === undefined) return { lexical: [], dense: [], passages: new Map() };
        checkVector(query.dense, query.madeWith.dimensions);
        const withTerms = [...spaces.values()].reduce((sum, { withTerms: count }) => sum + count, 0);
        const terms = weighQuestionTerms(knowledgeBase, query.lexical);
        const lexical = space.searchLexical(terms, withTerms, { filter, limit });
        const dense = query.dense === null ? [] : space.searchDense(query.dense, { filter, limit });
        const numbers = new Set([...lexical, ...dense].map(({ number }) => number));
        const passages = new Map(
          [...numbers].map((number) => [number, (readPassage.get(number) as { passage: string }).passage]),
        );
        return { lexical, dense, passages };
      }),

    searchedWith: (): IndexFingerprint | null => findSearched()?.fingerprint ?? null,

    /** Each document's summary as JSON; those not of the making without their hash. Null: the making that is searched. */
    listDocuments: (knowledgeBase: string | null, making: number | null): string[] =>
      readDocuments
        .all(knowledgeBase, making ?? findSearched()?.making ?? null)
        .map(({ summary }) => summary as string),

    /** As `listDocuments` gives it. */
    findDocument: (knowledgeBase: string, documentId: string, making: number | null): string | null =>
      (findDocument.get(knowledgeBase, making ?? findSearched()?.making ?? null, documentId)?.summary as
        | string
        | undefined) ?? null,

    /** Each passage as JSON. */
    readDocument: (knowledgeBase: string, documentId: string): string[] =>
      readDocument.all(knowledgeBase, documentId).map(({ passage }) => passage as string),

    readIndexed: (knowledgeBase: string, documentId: string): IndexedPassage[] =>
      (
        readIndexed.all(knowledgeBase, documentId, findSearched()?.making ?? 0) as unknown as IndexedRow[]
      ).map(([passage, vector, keys, weights]) => ({
        passage: JSON.parse(passage) as Passage,
        vector: vector === null ? null : toFloats(vector),
        terms: toWeightedTerms(keys, weights),
      })),

    describe: (): IndexDescription => {
      const knowledgeBases = countPassages.all().map((row) => ({ ...row }));
      const passages = knowledgeBases.reduce((sum, { passages: count }) => sum + count, 0);
      return {
        engine: 'sqlite',
        builtWith: knowledgeBases.length === 0 ? null : (findSearched()?.fingerprint ?? null),
        passages,
        knowledgeBases: knowledgeBases as IndexDescription['knowledgeBases'],
      };
    },

    close: (): void => database.close(),
  };
}

serveMethods(() => openReader(workerData as { file: string }));
