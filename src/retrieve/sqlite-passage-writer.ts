import { workerData } from 'node:worker_threads';
import { AppError } from '../errors.js';
import { inTransaction, openDatabase } from '../store/sqlite-database.js';
import { serveMethods } from '../store/worker-rpc.js';
import type { DocumentSummary } from '../types.js';
import { checkVector } from './check-vector.js';
import type { IndexedPassage, IndexFingerprint } from './passage-index.js';
import { PASSAGE_MIGRATIONS, SELECT_SEARCHED, toBlob } from './sqlite-passage-schema.js';

/** Removals kept for readers to follow; one that is further behind reads everything again. */
const MAX_REMOVALS = 100_000;

interface Making {
  number: number;
  dimensions: number;
}

interface PassageRow {
  number: number;
  making: number;
  passage_id: string;
  passage: string;
  vector: Uint8Array | null;
  term_keys: Uint8Array;
  term_weights: Uint8Array;
}

type NewRow = Omit<PassageRow, 'number' | 'making'> & { position: number; language: string; tags: string };

export type PassageChange =
  | { replace: DocumentSummary; passages: readonly IndexedPassage[] }
  | { delete: { knowledgeBase: string; documentId: string } };

/** `existed`: there was such a document before. `refused`: nothing was changed. */
export type PassageChangeOutcome =
  | { existed: boolean }
  | { refused: Pick<AppError, 'code' | 'message' | 'retryable'> };

export type PassageWriterMethods = ReturnType<typeof openWriter>;

/** The only connection that writes. Runs in a thread of its own. */
function openWriter({ file }: { file: string }) {
  const database = openDatabase({ file, migrations: PASSAGE_MIGRATIONS, survives: 'power-loss' });
  const readMeta = database.prepare('SELECT value FROM meta WHERE key = ?');
  const writeMeta = database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)');
  const findDocument = database.prepare(
    'SELECT number, summary FROM documents WHERE knowledge_base = ? AND document_id = ?',
  );
  const writeDocument = database.prepare(
    `INSERT INTO documents (knowledge_base, document_id, summary, making) VALUES (?, ?, ?, ?)
     ON CONFLICT (knowledge_base, document_id)
       DO UPDATE SET summary = excluded.summary, making = excluded.making
     RETURNING number`,
  );
  const deleteDocument = database.prepare('DELETE FROM documents WHERE number = ?');
  const readPassages = database.prepare(
    `SELECT number, making, passage_id, passage, vector, term_keys, term_weights
     FROM passages WHERE document = ?`,
  );
  const writePassage = database.prepare(
    `INSERT INTO passages
       (document, position, passage, passage_id, language, tags, vector, term_keys, term_weights, making)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const deletePassage = database.prepare('DELETE FROM passages WHERE number = ?');
  const writeRemoval = database.prepare('INSERT INTO removals (passage, knowledge_base) VALUES (?, ?)');
  const countRemovals = database.prepare('SELECT count(*) AS count FROM removals');

  const readSearched = database.prepare(SELECT_SEARCHED);
  const findMaking = database.prepare('SELECT number FROM makings WHERE fingerprint = ?');
  const writeMaking = database.prepare('INSERT INTO makings (fingerprint) VALUES (?) RETURNING number');
  const isMaking = database.prepare('SELECT 1 FROM makings WHERE number = ?');
  const findWaiting = database.prepare('SELECT 1 FROM documents WHERE making <> ? LIMIT 1');
  /** What this process was prepared for; another process may write otherwise. */
  let prepared: Making | null = null;

  const searched = (): Making | null => {
    const row = readSearched.get() as { number: number; fingerprint: string } | undefined;
    if (row === undefined) return null;
    const { dimensions } = JSON.parse(row.fingerprint) as IndexFingerprint;
    return { number: row.number, dimensions };
  };
  const writtenWith = (): Making => {
    const making = prepared ?? searched();
    if (making === null) {
      throw new AppError('conflict', 'The index must be prepared before passages are written to it.');
    }
    if (isMaking.get(making.number) === undefined) {
      throw new AppError('conflict', 'Another process has moved the index to another embedding model.');
    }
    return making;
  };
  const makingOf = ({ embedder, dimensions, analyzer }: IndexFingerprint): number => {
    const fingerprint = JSON.stringify({ embedder, dimensions, analyzer });
    const { number } = (findMaking.get(fingerprint) ?? writeMaking.get(fingerprint)) as { number: number };
    return number;
  };
  const searchFromNowOn = (making: number): void => {
    writeMeta.run('searched', String(making));
    database.prepare('DELETE FROM passages WHERE making <> ?').run(making);
    database.prepare('DELETE FROM makings WHERE number <> ?').run(making);
    startGeneration();
  };
  const startGeneration = (): void => {
    const { value } = readMeta.get('generation') as { value: string };
    writeMeta.run('generation', String(Number(value) + 1));
    database.exec('DELETE FROM removals');
  };
  const remove = (number: number, knowledgeBase: string): void => {
    deletePassage.run(number);
    writeRemoval.run(number, knowledgeBase);
  };
  const boundRemovals = (): void => {
    if (countRemovals.get().count > MAX_REMOVALS) startGeneration();
  };

  /** Refuses before it writes: what came before it in the transaction stays. */
  const replace = (document: DocumentSummary, passages: readonly IndexedPassage[]): boolean => {
    const { number: making, dimensions } = writtenWith();
    const rows = toRows(passages, dimensions);
    const { knowledgeBase, documentId } = document;
    if (documentId.includes('\0')) throw new AppError('invalid', 'A document id has no NUL character.');
    const existed = findDocument.get(knowledgeBase, documentId) !== undefined;
    const summary = JSON.stringify({ ...document, passages: rows.size });
    const { number } = writeDocument.get(knowledgeBase, documentId, summary, making) as { number: number };
    const searchedNow = searched()?.number;
    const kept = making === searchedNow ? undefined : searchedNow;
    for (const old of readPassages.all(number) as PassageRow[]) {
      if (old.making === kept) continue;
      const unchanged = old.making === making && sameRow(old, rows.get(old.passage_id));
      if (unchanged) rows.delete(old.passage_id);
      else remove(old.number, knowledgeBase);
    }
    for (const row of rows.values()) {
      const { position, passage, passage_id, language, tags, vector, term_keys, term_weights } = row;
      writePassage.run(
        number,
        position,
        passage,
        passage_id,
        language,
        tags,
        vector,
        term_keys,
        term_weights,
        making,
      );
    }
    return existed;
  };

  const removeDocument = (knowledgeBase: string, documentId: string): boolean => {
    const document = findDocument.get(knowledgeBase, documentId) as { number: number } | undefined;
    if (document === undefined) return false;
    for (const { number } of readPassages.all(document.number) as PassageRow[]) {
      remove(number, knowledgeBase);
    }
    deleteDocument.run(document.number);
    return true;
  };

  const apply = (change: PassageChange): PassageChangeOutcome => {
    try {
      return {
        existed:
          'replace' in change
            ? replace(change.replace, change.passages)
            : removeDocument(change.delete.knowledgeBase, change.delete.documentId),
      };
    } catch (thrown) {
      // What the file or the disk refuses undoes all of them.
      if (!(thrown instanceof AppError)) throw thrown;
      const { code, message, retryable } = thrown;
      return { refused: { code, message, retryable } };
    }
  };

  return {
    /** In their order, each whole or not at all, all of them in one transaction. */
    change(changes: readonly PassageChange[]): PassageChangeOutcome[] {
      return inTransaction(database, 'write', () => {
        const outcomes = changes.map(apply);
        boundRemovals();
        return outcomes;
      });
    },

    /** `making` is what `listDocuments` has to be asked with. */
    prepare(wanted: IndexFingerprint): { making: number; waiting: boolean } {
      return inTransaction(database, 'write', () => {
        const number = makingOf(wanted);
        prepared = { number, dimensions: wanted.dimensions };
        const waiting = findWaiting.get(number) !== undefined;
        if (!waiting && searched()?.number !== number) searchFromNowOn(number);
        return { making: number, waiting };
      });
    },

    close(): void {
      database.close();
    },
  };
}

/** By passage id; the same passage twice is one row. */
function toRows(passages: readonly IndexedPassage[], dimensions: number): Map<string, NewRow> {
  const rows = new Map<string, NewRow>();
  for (const { passage, vector, terms } of passages) {
    checkVector(vector, dimensions);
    if (rows.has(passage.id)) continue;
    rows.set(passage.id, {
      position: passage.position,
      passage: JSON.stringify(passage),
      passage_id: passage.id,
      language: passage.language,
      tags: JSON.stringify(passage.tags),
      vector: vector === null ? null : toBlob(vector),
      term_keys: toBlob(terms.keys),
      term_weights: toBlob(terms.weights),
    });
  }
  return rows;
}

function sameRow(old: PassageRow, row: NewRow | undefined): boolean {
  return (
    row !== undefined &&
    row.passage === old.passage &&
    sameBytes(row.vector, old.vector) &&
    sameBytes(row.term_keys, old.term_keys) &&
    sameBytes(row.term_weights, old.term_weights)
  );
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return Buffer.compare(a, b) === 0;
}

serveMethods(() => openWriter(workerData as { file: string }));
