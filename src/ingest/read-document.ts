import { basename, dirname, extname } from 'node:path/posix';
import { detectLanguage } from '../language.js';
import { renderBlock } from './block-text.js';
import { cleanText } from './clean-text.js';
import { decodeText } from './decode-text.js';
import { chooseFormat, type DocumentFormat } from './document-format.js';
import type { ReadJob } from './reader-protocol.js';
import { readCsv } from './readers/csv-parse-reader.js';
import { readJsonLines } from './readers/jsonl-reader.js';
import { readDocx } from './readers/mammoth-docx-reader.js';
import { readMarkdown } from './readers/mdast-markdown-reader.js';
import { readPlainText } from './readers/plain-text-reader.js';
import { readXlsx } from './readers/read-excel-file-reader.js';
import { readRecord } from './readers/record-reader.js';
import { readHtml } from './readers/rehype-html-reader.js';
import { readPdf } from './readers/unpdf-reader.js';
import { type Block, type Reading, type SourceDocument, UnreadableError } from './source-document.js';
import { checkZipBounds } from './zip-bounds.js';

const READERS: Readonly<Record<DocumentFormat, (bytes: Uint8Array) => Reading | Promise<Reading>>> = {
  markdown: (bytes) => readMarkdown(cleanText(decodeText(bytes))),
  text: (bytes) => readPlainText(cleanText(decodeText(bytes))),
  html: (bytes) => readHtml(cleanText(decodeText(bytes, declaredCharset(bytes)))),
  csv: (bytes) => readCsv(cleanText(decodeText(bytes))),
  // Cleaned afterwards: a line separator inside a JSON string is not a line break.
  jsonl: (bytes) => readJsonLines(decodeText(bytes)),
  record: (bytes) => readRecord(decodeText(bytes)),
  pdf: readPdf,
  docx: (bytes) => {
    checkZipBounds(bytes);
    return readDocx(bytes);
  },
  xlsx: (bytes) => {
    checkZipBounds(bytes);
    return readXlsx(bytes);
  },
};

/**
 * A file's bytes → a clean document. The title is its own (of the front matter, of the record), else its top heading,
 * else the file's name. The extension decides how text is read where the job does not say it.
 *
 * @throws UnreadableError with a reason for the person who put the file there
 */
export async function readDocument(job: ReadJob): Promise<SourceDocument> {
  const { documentId, bytes } = job;
  if (bytes.length === 0) throw new UnreadableError('the file is empty');
  const format = job.format ?? chooseFormat(documentId, bytes, job.plainFormat);
  const reading = await runReader(format, bytes);
  const blocks = reading.blocks.map(cleanBlock).filter((block) => /\S/.test(renderBlock(block)));
  // A record's own name is a number or a hash: the file's says more.
  const file = format === 'record' ? dirname(documentId) : documentId;
  const title = oneTitle(reading.title) ?? topHeading(blocks) ?? basename(file, extname(file));
  if (blocks.length === 0) throw new UnreadableError('there is no text in it');
  return {
    title,
    language: reading.language ?? detectLanguage(blocks.map(renderBlock).join('\n')),
    languageIsGiven: reading.language !== undefined,
    ...(reading.url === undefined ? {} : { url: reading.url }),
    tags: [...new Set(reading.tags?.map(cleanText))],
    blocks,
  };
}

/** What a library throws at a malformed file is never shown: it speaks of the library, not of the file. */
async function runReader(format: DocumentFormat, bytes: Uint8Array): Promise<Reading> {
  try {
    return await READERS[format](bytes);
  } catch (cause) {
    if (cause instanceof UnreadableError) throw cause;
    const nested = cause instanceof RangeError;
    throw new UnreadableError(
      nested ? 'it is nested too deeply' : `this is not a valid ${format.toUpperCase()} file`,
      { cause },
    );
  }
}

function oneTitle(title: string | undefined): string | undefined {
  const clean = title === undefined ? '' : cleanText(title).trim();
  return clean === '' ? undefined : clean;
}

/** A top heading is the title where it is the first and the only one, or has nothing of its own below it. */
function topHeading(blocks: readonly Block[]): string | undefined {
  const headings = blocks.filter((block) => block.type === 'heading');
  const [first] = headings;
  if (first === undefined || first.level !== 1) return undefined;
  const isOnly = headings.filter(({ level }) => level === 1).length === 1;
  const after = blocks[blocks.indexOf(first) + 1];
  return isOnly || (after?.type === 'heading' && after.level === 1) ? first.text : undefined;
}

function cleanBlock(block: Block): Block {
  switch (block.type) {
    case 'list':
      return { ...block, items: block.items.map(cleanText) };
    case 'table':
      return {
        ...block,
        header: block.header.map(cleanText),
        rows: block.rows.map((row) => row.map(cleanText)),
      };
    case 'faq':
      return {
        ...block,
        question: cleanText(block.question),
        answer: cleanText(block.answer),
        tags: block.tags.map(cleanText),
      };
    default:
      return { ...block, text: cleanText(block.text).trim() };
  }
}

/** `<meta charset>` or its older form, within the first bytes as browsers look for it. */
function declaredCharset(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 4096));
  return /<meta[^>]{0,200}?charset\s*=\s*["']?([\w-]{1,40})/i.exec(start)?.[1];
}
