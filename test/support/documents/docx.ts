import { escapeXml, XML_HEADER } from './xml.js';
import { makeZip, type ZipFile } from './zip.js';

export type DocxPart =
  | { heading: 1 | 2 | 3; text: string }
  | { paragraph: string; bold?: boolean }
  | { list: string[]; ordered?: boolean }
  | { table: string[][] };

const WORD = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main';

/** A Word document as Word writes it: styles by id and name, numbering, a table with a header row. */
export function makeDocx(
  parts: readonly DocxPart[],
  extra: readonly ZipFile[] = [],
  rewrite: (documentXml: string) => string = (documentXml) => documentXml,
): Buffer {
  return makeZip([
    {
      name: '[Content_Types].xml',
      content: `${XML_HEADER}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
    },
    {
      name: '_rels/.rels',
      content: `${XML_HEADER}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`,
    },
    {
      name: 'word/_rels/document.xml.rels',
      content: `${XML_HEADER}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/numbering" Target="numbering.xml"/></Relationships>`,
    },
    {
      name: 'word/styles.xml',
      content: `${XML_HEADER}<w:styles xmlns:w="${WORD}">${[1, 2, 3].map((level) => `<w:style w:type="paragraph" w:styleId="${level}"><w:name w:val="heading ${level}"/></w:style>`).join('')}</w:styles>`,
    },
    {
      name: 'word/numbering.xml',
      content: `${XML_HEADER}<w:numbering xmlns:w="${WORD}">${['bullet', 'decimal'].map((format, id) => `<w:abstractNum w:abstractNumId="${id}"><w:lvl w:ilvl="0"><w:numFmt w:val="${format}"/></w:lvl></w:abstractNum>`).join('')}<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num></w:numbering>`,
    },
    {
      name: 'word/document.xml',
      content: rewrite(
        `${XML_HEADER}<w:document xmlns:w="${WORD}"><w:body>${parts.map(writePart).join('')}</w:body></w:document>`,
      ),
    },
    ...extra,
  ]);
}

function writePart(part: DocxPart): string {
  if ('heading' in part) return paragraph(part.text, `<w:pStyle w:val="${part.heading}"/>`);
  if ('paragraph' in part)
    return paragraph(part.paragraph, '', part.bold === true ? '<w:rPr><w:b/></w:rPr>' : '');
  if ('list' in part) {
    const id = part.ordered === true ? 2 : 1;
    const numbering = `<w:numPr><w:ilvl w:val="0"/><w:numId w:val="${id}"/></w:numPr>`;
    return part.list.map((item) => paragraph(item, numbering)).join('');
  }
  const rows = part.table.map((row, index) => {
    const cells = row.map((cell) => `<w:tc>${paragraph(cell)}</w:tc>`).join('');
    return `<w:tr>${index === 0 ? '<w:trPr><w:tblHeader/></w:trPr>' : ''}${cells}</w:tr>`;
  });
  return `<w:tbl>${rows.join('')}</w:tbl>`;
}

function paragraph(text: string, properties = '', run = ''): string {
  return `<w:p><w:pPr>${properties}</w:pPr><w:r>${run}<w:t xml:space="preserve">${escapeXml(text)}</w:t></w:r></w:p>`;
}
