import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDocumentReader } from '../../src/ingest/document-reader.js';
import { makeDocx } from '../support/documents/docx.js';
import { makeXlsx } from '../support/documents/xlsx.js';

const SECRET = 'the secret of another file';

/** Ten entities, each ten of the one before: 3 GB of text. */
const BILLION_LAUGHS = [
  '<!ENTITY e0 "laughter ">',
  ...Array.from({ length: 9 }, (_, level) => `<!ENTITY e${level + 1} "${`&e${level};`.repeat(10)}">`),
].join('');

/** A quadratic blow-up needs no nesting. */
const LONG_ENTITY = `<!ENTITY e9 "${'laughter '.repeat(20_000)}">`;

const reader = createDocumentReader();
const folder = mkdtempSync(join(tmpdir(), 'askbase-xml-'));
let fetched = 0;
const server = createServer((_request, response) => {
  fetched += 1;
  response.end('<!ENTITY e9 "fetched">');
});
beforeAll(async () => {
  writeFileSync(join(folder, 'secret.txt'), SECRET);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await reader.close();
  server.close();
  rmSync(folder, { recursive: true });
});

const REFERENCE = 'REFERENCE';

/** The same XML with a document type before it and an entity of it in its text. */
const withEntity =
  (declarations: string) =>
  (xml: string): string =>
    xml.replace(/^(<[?].*?[?]>\s*)/, `$1<!DOCTYPE x [${declarations}]>`).replace(REFERENCE, '&e9;');

const FILES: [string, (rewrite: (xml: string) => string) => Buffer][] = [
  ['a.docx', (rewrite) => makeDocx([{ paragraph: `Sound text. ${REFERENCE}` }], [], rewrite)],
  ['a.xlsx', (rewrite) => makeXlsx([{ name: 'S', rows: [['Head'], [`Sound text. ${REFERENCE}`]] }], rewrite)],
];

/** What the reader makes of it: its text, or why it refuses it. */
async function read(documentId: string, bytes: Buffer): Promise<string> {
  try {
    const { passages } = await reader.read({ documentId, bytes }, { signal: new AbortController().signal });
    return passages.map(({ text }) => text).join('\n');
  } catch (thrown) {
    expect(thrown).toMatchObject({ name: 'AppError', code: 'unreadable' });
    return 'refused';
  }
}

describe.each(FILES)('An entity in %s', (documentId, make) => {
  it('is no obstacle to reading the file without it', async () => {
    expect(
      await read(
        documentId,
        make((xml) => xml.replace(REFERENCE, 'More.')),
      ),
    ).toContain('Sound text. More.');
  });

  it.each([
    ['that stands for three gigabytes', BILLION_LAUGHS],
    ['that is long', LONG_ENTITY],
  ])('%s is not written out', async (_what, declarations) => {
    const text = await read(documentId, make(withEntity(declarations)));
    expect(text).not.toContain('laughter');
  });

  it('from a file of the server does not bring it in', async () => {
    const text = await read(
      documentId,
      make(withEntity(`<!ENTITY e9 SYSTEM "file://${folder}/secret.txt">`)),
    );
    expect(text).not.toContain(SECRET);
  });

  it('from an address does not make the server ask there', async () => {
    const { port } = server.address() as AddressInfo;
    const address = `http://127.0.0.1:${port}/e.dtd`;
    await read(
      documentId,
      make(withEntity(`<!ENTITY e9 SYSTEM "${address}"> <!ENTITY % p SYSTEM "${address}"> %p;`)),
    );
    expect(fetched).toBe(0);
  });
});
