import { escapeXml, XML_HEADER } from './xml.js';
import { makeZip } from './zip.js';

export interface Sheet {
  name: string;
  /** A Date becomes a number with a date format. */
  rows: readonly (readonly (string | number | boolean | Date | null)[])[];
}

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONSHIPS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const MILLISECONDS_PER_DAY = 86_400_000;
const EXCEL_EPOCH = Date.UTC(1899, 11, 30);

/** An Excel workbook with inline strings. */
export function makeXlsx(
  sheets: readonly Sheet[],
  rewrite: (sheetXml: string) => string = (sheetXml) => sheetXml,
): Buffer {
  const numbered = sheets.map((sheet, index) => ({ ...sheet, number: index + 1 }));
  return makeZip([
    {
      name: '[Content_Types].xml',
      content: `${XML_HEADER}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>${numbered.map(({ number }) => `<Override PartName="/xl/worksheets/sheet${number}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`).join('')}</Types>`,
    },
    {
      name: '_rels/.rels',
      content: `${XML_HEADER}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="${RELATIONSHIPS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    },
    {
      name: 'xl/workbook.xml',
      content: `${XML_HEADER}<workbook xmlns="${MAIN}" xmlns:r="${RELATIONSHIPS}"><sheets>${numbered.map(({ name, number }) => `<sheet name="${escapeXml(name)}" sheetId="${number}" r:id="rId${number}"/>`).join('')}</sheets></workbook>`,
    },
    {
      name: 'xl/_rels/workbook.xml.rels',
      content: `${XML_HEADER}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${numbered.map(({ number }) => `<Relationship Id="rId${number}" Type="${RELATIONSHIPS}/worksheet" Target="worksheets/sheet${number}.xml"/>`).join('')}<Relationship Id="rId${sheets.length + 1}" Type="${RELATIONSHIPS}/styles" Target="styles.xml"/></Relationships>`,
    },
    {
      name: 'xl/styles.xml',
      content: `${XML_HEADER}<styleSheet xmlns="${MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>`,
    },
    ...numbered.map(({ rows, number }) => ({
      name: `xl/worksheets/sheet${number}.xml`,
      content: rewrite(
        `${XML_HEADER}<worksheet xmlns="${MAIN}"><sheetData>${rows.map(writeRow).join('')}</sheetData></worksheet>`,
      ),
    })),
  ]);
}

function writeRow(row: Sheet['rows'][number], index: number): string {
  const cells = row.map((cell, column) => {
    const address = `r="${String.fromCharCode(65 + column)}${index + 1}"`;
    if (cell === null) return '';
    if (typeof cell === 'number') return `<c ${address}><v>${cell}</v></c>`;
    if (typeof cell === 'boolean') return `<c ${address} t="b"><v>${cell ? 1 : 0}</v></c>`;
    if (typeof cell === 'string') return `<c ${address} t="inlineStr"><is><t>${escapeXml(cell)}</t></is></c>`;
    return `<c ${address} s="1"><v>${(cell.getTime() - EXCEL_EPOCH) / MILLISECONDS_PER_DAY}</v></c>`;
  });
  return `<row r="${index + 1}">${cells.join('')}</row>`;
}
