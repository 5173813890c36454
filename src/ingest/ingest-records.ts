import { createHash } from 'node:crypto';
import { AppError, toAppError } from '../errors.js';
import { inParallel } from '../in-parallel.js';
import type { PassageIndex } from '../retrieve/passage-index.js';
import { type FileRecord, readFileRecords } from './file-records.js';
import type { Ingestor } from './ingestor.js';
import type { KnowledgeBase } from './knowledge-base.js';
import type { FileProblem } from './load-knowledge-bases.js';
import { readObject } from './readers/jsonl-reader.js';
import { valueFor } from './readers/question-answer-columns.js';
import { UnreadableError } from './source-document.js';

export interface IngestRecordsOptions {
  /** Of a .jsonl, .ndjson, .csv or .tsv file. */
  path: string;
  /** Its document id; a record's is `<file>/<record>`. */
  documentId: string;
  knowledgeBase: KnowledgeBase;
  ingestor: Ingestor;
  index: Pick<PassageIndex, 'findDocument'>;
  onProgress?: (progress: { records: number; bytesRead: number }) => void;
  signal: AbortSignal;
}

/** Counts are of records, but for `passages`: those that the records have now. */
export interface RecordsSummary {
  added: number;
  changed: number;
  unchanged: number;
  failed: number;
  passages: number;
  /** The first of what failed. */
  problems: FileProblem[];
}

/** Enough that the embedder gets whole batches and a commit is shared by many. */
const RECORDS_AT_A_TIME = 32;
const MOST_PROBLEMS = 20;
const HASH_DIGITS = 20;
const MOST_ID_CHARACTERS = 200;

/**
 * Makes every record of a file a document of its own, whose id is the record's (`id`, `_id`, 编号), else a hash of it: a
 * record without an id that is changed is another record. Records that stand in the index as they are cost a look: an
 * interrupted ingestion goes on where it was. What is no longer in the file stays. When all is done, an upload that was
 * made of the whole file goes.
 *
 * @throws AppError `unreadable` where the file cannot be read to its end, `stopped`, `unavailable`
 */
export async function ingestRecords(options: IngestRecordsOptions): Promise<RecordsSummary> {
  const { path, documentId: file, knowledgeBase, ingestor, index, onProgress, signal } = options;
  const summary: RecordsSummary = {
    added: 0,
    changed: 0,
    unchanged: 0,
    failed: 0,
    passages: 0,
    problems: [],
  };
  let records = 0;

  const ingest = async ({ number, content }: FileRecord): Promise<void> => {
    try {
      const { json, id } = readAddress(content);
      const { status, passages } = await ingestor.ingestDocument(
        { knowledgeBase, documentId: `${file}/${id}`, content: json, format: 'record', origin: 'upload' },
        { signal },
      );
      summary[status] += 1;
      summary.passages += passages;
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === 'stopped' || error.code === 'unavailable') throw error;
      summary.failed += 1;
      if (summary.problems.length === MOST_PROBLEMS) return;
      summary.problems.push({ file: `${file}, record ${number}`, reason: error.message });
    }
  };

  await inParallel(readFileRecords(path), RECORDS_AT_A_TIME, async (record) => {
    if (signal.aborted) throw new AppError('stopped', undefined, { cause: signal.reason });
    await ingest(record);
    records += 1;
    onProgress?.({ records, bytesRead: record.bytesRead });
  });
  const address = { knowledgeBase: knowledgeBase.id, documentId: file };
  const whole = await index.findDocument(address.knowledgeBase, file);
  if (whole?.origin === 'upload') await ingestor.deleteDocument(address, { signal });
  return summary;
}

function readAddress(content: FileRecord['content']): { json: string; id: string } {
  if ('problem' in content) throw new AppError('unreadable', content.problem);
  const { json } = content;
  try {
    const given = valueFor(readObject(json), 'id').trim();
    if (given === '') return { json, id: hashOf(json) };
    return { json, id: given.length > MOST_ID_CHARACTERS ? hashOf(given) : toName(given) };
  } catch (thrown) {
    if (!(thrown instanceof UnreadableError)) throw thrown;
    throw new AppError('unreadable', `it ${thrown.message}`, { cause: thrown });
  }
}

/** Ids are often addresses or paths; a document's name has no empty parts and leads nowhere. */
function toName(id: string): string {
  return id.replaceAll(/[/\\%\p{Cc}]|^\.+$/gu, (character) =>
    encodeURIComponent(character).replaceAll('.', '%2E'),
  );
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
}
