import { getDocumentProxy } from 'unpdf';
import { type Reading, UnreadableError } from '../source-document.js';
import { linesToBlocks, type PdfLine } from './pdf-lines.js';

/** Titles that programs put in by themselves. */
const MEANINGLESS_TITLE = /\.(?:docx?|pptx?|xlsx?|pdf|indd|tex)$|^(?:untitled|无标题|microsoft )/i;

/** The text of a PDF, page by page. Headings are told by their size. */
export async function readPdf(bytes: Uint8Array): Promise<Reading> {
  const pdf = await open(bytes);
  try {
    const pages: PdfLine[][] = [];
    for (let number = 1; number <= pdf.numPages; number += 1) {
      const page = await pdf.getPage(number);
      pages.push(toLines((await page.getTextContent()).items, number));
      page.cleanup();
    }
    const blocks = linesToBlocks(pages);
    if (blocks.length === 0) {
      throw new UnreadableError(
        'this PDF holds no text that can be read: it was probably scanned and needs text recognition (OCR) first',
      );
    }
    const title = await readTitle(pdf);
    return blocks.some((block) => block.type === 'heading') || title === '' ? { blocks } : { title, blocks };
  } finally {
    await pdf.destroy();
  }
}

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;
type TextItems = Awaited<ReturnType<Awaited<ReturnType<Pdf['getPage']>>['getTextContent']>>['items'];

async function open(bytes: Uint8Array): Promise<Pdf> {
  try {
    return await getDocumentProxy(new Uint8Array(bytes), {
      verbosity: 0,
      isEvalSupported: false,
      useSystemFonts: false,
    });
  } catch (cause) {
    const encrypted = cause instanceof Error && cause.name === 'PasswordException';
    throw new UnreadableError(encrypted ? 'this PDF is protected by a password' : 'this is not a valid PDF', {
      cause,
    });
  }
}

async function readTitle(pdf: Pdf): Promise<string> {
  const { info } = await pdf.getMetadata();
  const title = 'Title' in info && typeof info.Title === 'string' ? info.Title.trim() : '';
  return MEANINGLESS_TITLE.test(title) ? '' : title;
}

function toLines(items: TextItems, page: number): PdfLine[] {
  const lines: PdfLine[] = [];
  let line: PdfLine | null = null;
  for (const item of items) {
    if (!('str' in item)) continue;
    if (item.str !== '') {
      line ??= { text: '', page, size: 0, y: Number(item.transform[5]) };
      line.text += item.str;
      if (item.str.trim() !== '') line.size = Math.max(line.size, item.height);
    }
    if (item.hasEOL && line !== null) {
      lines.push(line);
      line = null;
    }
  }
  return line === null ? lines : [...lines, line];
}
