import { workerData } from 'node:worker_threads';
import { AppError } from '../errors.js';
import { inTransaction, openDatabase } from '../store/sqlite-database.js';
import { serveMethods } from '../store/worker-rpc.js';
import type { DocumentSummary } from '../types.js';
import { checkVector } from './check-vector.js';
import { type IndexedPassage, type IndexFingerprint, sameFingerprint } from './passage-index.js';
import { PASSAGE_MIGRATIONS, toBlob } from './sqlite-passage-schema.js';

/** Removals kept for readers to follow; one that is further behind reads everything again. */
const MAX_REMOVALS = 100_000;

interface PassageRow {
  number: number;
  passage_id: string;
  passage: string;
  vector: Uint8Array | null;
  term_keys: Uint8Array;
  term_weights: Uint8Array;
}

type NewRow = Omit<PassageRow, 'number'> & { position: number; language: string; tags: string };

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
    `INSERT INTO documents (knowledge_base, document_id, summary) VALUES (?, ?, ?)
     ON CONFLICT (knowledge_base, document_id) DO UPDATE SET summary = excluded.summary
     RETURNING number`,
  );
  const deleteDocument = database.prepare('DELETE FROM documents WHERE number = ?');
  const readPassages = database.prepare(
    `SELECT number, passage_id, passage, vector, term_keys, term_weights FROM passages WHERE document = ?`,
  );
  const writePassage = database.prepare(
    `INSERT INTO passages
       (document, position, passage, passage_id, language, tags, vector, term_keys, term_weights)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const deletePassage = database.prepare('DELETE FROM passages WHERE number = ?');
  const writeRemoval = database.prepare('INSERT INTO removals (passage, knowledge_base) VALUES (?, ?)');
  const countRemovals = database.prepare('SELECT count(*) AS count FROM removals');

  const fingerprint = (): IndexFingerprint | null => {
    const row = readMeta.get('fingerprint') as { value: string } | undefined;
    return row === undefined ? null : (JSON.parse(row.value) as IndexFingerprint);
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

  return {
    replaceDocument(document: DocumentSummary, passages: readonly IndexedPassage[]): void {
      inTransaction(database, 'write', () => {
        const rows = toRows(passages, fingerprint());
        const { knowledgeBase, documentId } = document;
        if (documentId.includes('\0')) throw new AppError('invalid', 'A document id has no NUL character.');
        const summary = JSON.stringify({ ...document, passages: rows.size });
        const { number } = writeDocument.get(knowledgeBase, documentId, summary) as { number: number };
        for (const old of readPassages.all(number) as PassageRow[]) {
          const unchanged = sameRow(old, rows.get(old.passage_id));
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
          );
        }
        boundRemovals();
      });
    },

    deleteDocument(knowledgeBase: string, documentId: string): boolean {
      return inTransaction(database, 'write', () => {
        const document = findDocument.get(knowledgeBase, documentId) as { number: number } | undefined;
        if (document === undefined) return false;
        for (const { number } of readPassages.all(document.number) as PassageRow[]) {
          remove(number, knowledgeBase);
        }
        deleteDocument.run(document.number);
        boundRemovals();
        return true;
      });
    },

    prepare(wanted: IndexFingerprint): boolean {
      return inTransaction(database, 'write', () => {
        if (!sameFingerprint(fingerprint(), wanted)) {
          writeMeta.run('fingerprint', JSON.stringify(wanted));
          database.exec(`
            UPDATE passages SET vector = NULL, term_keys = x'', term_weights = x'';
            UPDATE documents SET summary = json_set(summary, '$.contentHash', '');
          `);
          startGeneration();
        }
        const stale = database
          .prepare(`SELECT 1 FROM documents WHERE json_extract(summary, '$.contentHash') = '' LIMIT 1`)
          .get();
        return stale !== undefined;
      });
    },

    close(): void {
      database.close();
    },
  };
}

/** By passage id; the same passage twice is one row. */
function toRows(
  passages: readonly IndexedPassage[],
  fingerprint: IndexFingerprint | null,
): Map<string, NewRow> {
  if (fingerprint === null) {
    throw new AppError('conflict', 'The index must be prepared before passages are written to it.');
  }
  const rows = new Map<string, NewRow>();
  for (const { passage, vector, terms } of passages) {
    checkVector(vector, fingerprint.dimensions);
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
