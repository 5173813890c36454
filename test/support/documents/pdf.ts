import { createHash } from 'node:crypto';

export interface PdfText {
  text: string;
  /** Points. */
  size?: number;
  /** Points below the line above it; 1.4 times its size where absent. */
  gap?: number;
}

interface PdfOptions {
  title?: string;
  /** Makes a file that only opens with a password. */
  encrypted?: boolean;
}

const PAGE_HEIGHT = 842;
const MARGIN = 60;

/**
 * A PDF of one text column per page. Any character works: glyph numbers are UTF-16 code units, with a table that maps
 * them back to text, as programs write it for embedded fonts.
 */
export function makePdf(
  pages: readonly (readonly PdfText[])[],
  { title, encrypted }: PdfOptions = {},
): Buffer {
  const objects: string[] = [];
  const add = (body: string): number => objects.push(body);
  const stream = (content: string): string =>
    `<< /Length ${Buffer.byteLength(content, 'latin1')} >>\nstream\n${content}\nendstream`;

  const characters = new Set(pages.flat().flatMap(({ text }) => text.split('')));
  const toUnicode = add(stream(unicodeMap([...characters])));
  const descriptor = add(
    '<< /Type /FontDescriptor /FontName /Sample /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>',
  );
  const cidFont = add(
    `<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Sample /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor ${descriptor} 0 R /DW 600 >>`,
  );
  const font = add(
    `<< /Type /Font /Subtype /Type0 /BaseFont /Sample /Encoding /Identity-H /DescendantFonts [${cidFont} 0 R] /ToUnicode ${toUnicode} 0 R >>`,
  );
  const pagesNumber = objects.length + pages.length * 2 + 1;
  const kids = pages.map((lines) => {
    const content = add(stream(writeLines(lines)));
    return add(
      `<< /Type /Page /Parent ${pagesNumber} 0 R /MediaBox [0 0 595 ${PAGE_HEIGHT}] /Resources << /Font << /F ${font} 0 R >> >> /Contents ${content} 0 R >>`,
    );
  });
  add(`<< /Type /Pages /Kids [${kids.map((kid) => `${kid} 0 R`).join(' ')}] /Count ${pages.length} >>`);
  const catalog = add(`<< /Type /Catalog /Pages ${pagesNumber} 0 R >>`);
  const info = add(title === undefined ? '<< >>' : `<< /Title <FEFF${hex(title)}> >>`);
  const id = createHash('md5').update(objects.join()).digest('hex');
  const security = encrypted === true ? `/Encrypt ${add(LOCKED)} 0 R /ID [<${id}> <${id}>]` : '';
  return writeFile(objects, `/Root ${catalog} 0 R /Info ${info} 0 R ${security}`);
}

/** Standard security handler whose user password nobody knows. */
const LOCKED = `<< /Filter /Standard /V 1 /R 2 /O <${'1f'.repeat(32)}> /U <${'2e'.repeat(32)}> /P -44 >>`;

function writeLines(lines: readonly PdfText[]): string {
  let y = PAGE_HEIGHT - MARGIN;
  const shown = lines.map(({ text, size = 11, gap = size * 1.4 }) => {
    y -= gap;
    return `BT /F ${size} Tf 1 0 0 1 ${MARGIN} ${y.toFixed(2)} Tm <${hex(text)}> Tj ET`;
  });
  return shown.join('\n');
}

function hex(text: string): string {
  return text
    .split('')
    .map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'))
    .join('');
}

function unicodeMap(characters: readonly string[]): string {
  const blocks: string[] = [];
  for (let start = 0; start < characters.length; start += 100) {
    const block = characters
      .slice(start, start + 100)
      .map((character) => `<${hex(character)}> <${hex(character)}>`);
    blocks.push(`${block.length} beginbfchar\n${block.join('\n')}\nendbfchar`);
  }
  return `/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /Sample def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n${blocks.join('\n')}\nendcmap\nend\nend`;
}

function writeFile(objects: readonly string[], trailer: string): Buffer {
  let body = '%PDF-1.5\n';
  const offsets: number[] = [];
  for (const [index, object] of objects.entries()) {
    offsets.push(body.length);
    body += `${index + 1} 0 obj\n${object}\nendobj\n`;
  }
  const entries = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${entries}`;
  return Buffer.from(
    `${body}${table}trailer\n<< /Size ${objects.length + 1} ${trailer} >>\nstartxref\n${body.length}\n%%EOF\n`,
    'latin1',
  );
}
