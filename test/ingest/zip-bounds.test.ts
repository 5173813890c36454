import { describe, expect, it } from 'vitest';
import { checkZipBounds, listZipNames } from '../../src/ingest/zip-bounds.js';
import { makeZip } from '../support/documents/zip.js';

const honest = { name: 'word/document.xml', content: 'x'.repeat(100_000) };

describe('checkZipBounds', () => {
  it('lets an honest archive pass and lists its files', () => {
    const zip = makeZip([honest, { name: '图.xml', content: '' }]);
    expect(() => checkZipBounds(zip)).not.toThrow();
    expect(listZipNames(zip)).toEqual(['word/document.xml', '图.xml']);
  });

  it('reads an archive that is a part of a larger buffer', () => {
    const padded = Buffer.concat([Buffer.alloc(7), makeZip([honest])]).subarray(7);
    expect(() => checkZipBounds(padded)).not.toThrow();
  });

  it.each([
    ['declares more than 200 MB', [{ ...honest, declaredBytes: 201 * 1024 * 1024 }], 'unpacks to 201 MB'],
    [
      'declares more than 200 MB in all',
      Array.from({ length: 3 }, () => ({ ...honest, declaredBytes: 70 * 1024 * 1024 })),
      'unpacks to 210 MB',
    ],
    ['unpacks to more than it declares', [{ ...honest, declaredBytes: 10 }], 'damaged'],
    ['is encrypted', [{ ...honest, encrypted: true }], 'password'],
    [
      'holds too many files',
      Array.from({ length: 10_001 }, (_, name) => ({ name: `${name}`, content: '' })),
      '10000 files',
    ],
  ])('refuses an archive that %s', (_name, files, reason) => {
    expect(() => checkZipBounds(makeZip(files))).toThrow(reason);
  });

  it('refuses an archive with data that its directory does not list', () => {
    const hidden = makeZip([{ name: 'hidden', content: Buffer.alloc(1000, 1) }, honest]);
    const listed = makeZip([honest]);
    // The directory of the second archive behind the files of the first, its offsets moved.
    const directory = Buffer.from(listed.subarray(listed.indexOf(Buffer.from('504b0102', 'hex'))));
    const shift = hidden.indexOf(Buffer.from('504b0304', 'hex'), 4);
    const start = hidden.indexOf(Buffer.from('504b0102', 'hex'));
    directory.writeUInt32LE(shift, 42);
    directory.writeUInt32LE(start, directory.length - 6);
    expect(() => checkZipBounds(Buffer.concat([hidden.subarray(0, start), directory]))).toThrow('damaged');
  });

  it('refuses every archive that ends early, without a crash', () => {
    const zip = makeZip([honest, { name: 'b', content: 'y' }]);
    for (let length = 0; length < zip.length; length += 7) {
      expect(() => checkZipBounds(zip.subarray(0, length))).toThrow('damaged');
    }
  });
});
