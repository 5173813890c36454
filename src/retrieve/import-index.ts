import { createHash } from 'node:crypto';
import { AppError } from '../errors.js';
import { inParallel } from '../in-parallel.js';
import type { DocumentSummary } from '../types.js';
import {
  digestOf,
  type ExportedDocument,
  type ExportTrailer,
  readHeader,
  readLine,
  writeDocument,
} from './export-format.js';
import { type IndexFingerprint, type PassageIndex, sameFingerprint } from './passage-index.js';

export interface ImportOptions {
  index: Pick<
    PassageIndex,
    'describe' | 'listDocuments' | 'load' | 'prepare' | 'readIndexed' | 'replaceDocument' | 'searchedWith'
  >;
  /** Lines of an export without their line feeds. */
  lines: AsyncIterable<string>;
  onProgress?: (progress: ImportProgress) => void;
  signal: AbortSignal;
}

export interface ImportProgress {
  stage: 'writing' | 'comparing';
  documents: number;
  passages: number;
}

export interface ImportSummary {
  documents: number;
  passages: number;
  /** Documents that were there already, just so. */
  unchanged: number;
}

/** Documents written at the same time: the engine is kept busy, and no more of the file is read than it takes. */
const WRITES_AT_A_TIME = 8;

interface Written {
  document: DocumentSummary;
  digest: string;
}

/**
 * Writes the documents of an export to the index, replacing those of the same name, and reads them back to compare. A
 * file that breaks off, or an import that was interrupted, leaves whole documents; importing again goes on with what is
 * missing. Throws AppError `invalid` naming the line for a file that is no export or has been changed, `conflict` where the
 * index holds what another model made, `internal` where what is read back differs, `stopped`.
 */
export async function importIndex(options: ImportOptions): Promise<ImportSummary> {
  const { index, onProgress, signal } = options;
  const present = new Map<string, DocumentSummary>();
  const written: Written[] = [];
  let [passages, unchanged] = [0, 0];

  const write = async (entry: ExportedDocument): Promise<void> => {
    throwIfStopped(signal);
    const { document } = entry;
    const known = present.get(keyOf(document));
    // A summary is written with or after its passages: where it is there, so are they.
    if (known !== undefined && sameSummary(known, document)) unchanged += 1;
    else await index.replaceDocument(document, entry.passages, { signal });
    written.push({ document, digest: digestOf(writeDocument(entry)) });
    passages += entry.passages.length;
    onProgress?.({ stage: 'writing', documents: written.length, passages });
  };

  const file = readExport(options.lines);
  const fingerprint = await file.header();
  await prepareFor(fingerprint, index);
  for (const document of await index.listDocuments()) present.set(keyOf(document), document);
  await index.load(() => inParallel(file.documents(), WRITES_AT_A_TIME, write));
  const trailer = file.trailer();
  await compare(written, trailer, options);
  return { documents: trailer.documents, passages: trailer.passages, unchanged };
}

/** The header, then the documents, then the trailer: to be asked for in that order. */
function readExport(source: AsyncIterable<string>) {
  const lines = source[Symbol.asyncIterator]();
  const hash = createHash('sha256');
  let number = 0;
  let fingerprint: IndexFingerprint;
  let trailer: ExportTrailer | null = null;

  const next = async (): Promise<string | null> => {
    const { done, value } = await lines.next();
    number += 1;
    return done === true ? null : value;
  };
  const atLine = <T>(run: () => T): T => {
    try {
      return run();
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      throw new AppError('invalid', `Line ${number}: ${thrown.message}.`, { cause: thrown });
    }
  };
  const refuse = (reason: string): never =>
    atLine(() => {
      throw new AppError('invalid', reason);
    });
  const take = (line: string): void => void hash.update(`${line}\n`);

  async function* documents(): AsyncGenerator<ExportedDocument> {
    const seen = { documents: 0, passages: 0 };
    let open: ExportedDocument | null = null;
    const close = (entry: ExportedDocument): ExportedDocument => {
      const { passages: stated } = entry.document;
      if (entry.passages.length !== stated) {
        refuse(`${entry.document.documentId} should have ${stated} passages, not ${entry.passages.length}`);
      }
      seen.documents += 1;
      seen.passages += stated;
      return entry;
    };
    for (let text = await next(); text !== null; text = await next()) {
      const line = text;
      const read = atLine(() => readLine(line, fingerprint));
      if (read.type === 'passage') {
        if (open === null || !belongsTo(read.passage.passage, open.document)) {
          return refuse('the passage does not belong to the document before it');
        }
        open.passages.push(read.passage);
      } else if (open !== null) yield close(open);
      if (read.type === 'document') open = { document: read.document, passages: [] };
      if (read.type === 'end') {
        const sha256 = hash.digest('hex');
        const same = { ...seen, sha256 };
        for (const field of ['documents', 'passages', 'sha256'] as const) {
          if (same[field] !== read.trailer[field]) {
            refuse(`the file was changed: ${field} should be ${read.trailer[field]}, not ${same[field]}`);
          }
        }
        if ((await next()) !== null) refuse('nothing is expected after the end');
        trailer = read.trailer;
        return;
      }
      take(line);
    }
    refuse('the file breaks off; what came before has been imported');
  }

  return {
    header: async (): Promise<IndexFingerprint> => {
      const line = (await next()) ?? refuse('the file is empty');
      fingerprint = atLine(() => readHeader(line));
      take(line);
      return fingerprint;
    },
    documents,
    trailer: () => trailer as ExportTrailer,
  };
}

async function prepareFor(fingerprint: IndexFingerprint, index: ImportOptions['index']): Promise<void> {
  const made = await index.searchedWith();
  const isOther = made !== null && !sameFingerprint(made, fingerprint);
  if (isOther && (await index.describe()).builtWith !== null) {
    throw new AppError(
      'conflict',
      `The export was made with ${nameOf(fingerprint)}, this index with ${nameOf(made)}. Import into an empty index.`,
    );
  }
  await index.prepare(fingerprint);
}

function nameOf({ embedder, dimensions, analyzer }: IndexFingerprint): string {
  return `${embedder} (${dimensions}) and ${analyzer}`;
}

/** Reads what was written back: counts and content of every document must be those of the file. */
async function compare(
  written: readonly Written[],
  trailer: ExportTrailer,
  { index, onProgress, signal }: ImportOptions,
): Promise<void> {
  const present = new Map((await index.listDocuments()).map((document) => [keyOf(document), document]));
  let [documents, passages] = [0, 0];
  await inParallel(written, WRITES_AT_A_TIME, async ({ document, digest }) => {
    throwIfStopped(signal);
    const found = present.get(keyOf(document));
    const read = await index.readIndexed(document.knowledgeBase, document.documentId);
    if (found === undefined || digestOf(writeDocument({ document: found, passages: read })) !== digest) {
      throw new AppError('internal', `${document.documentId} was not kept as it stands in the file.`);
    }
    documents += 1;
    passages += read.length;
    onProgress?.({ stage: 'comparing', documents, passages });
  });
  if (documents !== trailer.documents || passages !== trailer.passages) {
    throw new AppError('internal', `${passages} passages were kept of ${trailer.passages}.`);
  }
}

function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new AppError('stopped', undefined, { cause: signal.reason });
}

type Address = Pick<DocumentSummary, 'knowledgeBase' | 'documentId'>;

function keyOf({ knowledgeBase, documentId }: Address): string {
  return JSON.stringify([knowledgeBase, documentId]);
}

function belongsTo(passage: Address, document: Address): boolean {
  return keyOf(passage) === keyOf(document);
}

function sameSummary(a: DocumentSummary, b: DocumentSummary): boolean {
  return (
    digestOf(writeDocument({ document: a, passages: [] })) ===
    digestOf(writeDocument({ document: b, passages: [] }))
  );
}
