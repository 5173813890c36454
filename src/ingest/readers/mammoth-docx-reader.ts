import mammoth from 'mammoth';
import type { Reading } from '../source-document.js';
import { htmlToBlocks } from './rehype-html-reader.js';

/** Beyond mammoth's own map, which knows headings by their style names in every language of Word. */
const STYLE_MAP = ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => p:fresh"];

/** A Word document by its styles: headings, lists, tables, footnotes. Pictures are left out. */
export async function readDocx(bytes: Uint8Array): Promise<Reading> {
  const { value } = await mammoth.convertToHtml(
    { buffer: Buffer.from(bytes) },
    {
      styleMap: STYLE_MAP,
      convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
      externalFileAccess: false,
    },
  );
  return { blocks: htmlToBlocks(value) };
}
