import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { decodeText } from '../../src/ingest/decode-text.js';
import { UnreadableError } from '../../src/ingest/source-document.js';

const CHINESE = '退货说明：您可以在签收后三十天内申请退货，退款会在五个工作日内到账。\n运费由我们承担。';
const TRADITIONAL = '退貨說明：您可以在簽收後三十天內申請退貨，退款會在五個工作日內到賬。';
const MIXED = 'iPhone 15 保修 1 年（see §3）。\nE05: 水箱缺水';

describe('decodeText', () => {
  it.each([
    ['UTF-8', CHINESE, 'utf-8', false],
    ['UTF-8 with a byte order mark', CHINESE, 'utf-8', true],
    ['UTF-16 LE with a byte order mark', CHINESE, 'utf-16le', true],
    ['UTF-16 LE without one', CHINESE, 'utf-16le', false],
    ['UTF-16 BE with a byte order mark', CHINESE, 'utf-16be', true],
    ['UTF-16 BE without one', CHINESE, 'utf-16be', false],
    ['English UTF-16 LE without a mark', 'Returns take thirty days.\r\n', 'utf-16le', false],
    ['English UTF-16 BE without a mark', 'Returns take thirty days.\r\n', 'utf-16be', false],
    ['GB18030', CHINESE, 'gb18030', false],
    ['GB18030 with Latin words and numbers', MIXED, 'gb18030', false],
    ['a single word of GB18030', '退货', 'gb18030', false],
    ['GB18030 with characters of four bytes', `${CHINESE}㐀䶵€`, 'gb18030', false],
    ['Big5', TRADITIONAL, 'big5', false],
    [
      'Windows-1252',
      'Le café coûte 3 € – déjà payé. “Crème brûlée” in a naïve façade.',
      'windows-1252',
      false,
    ],
  ])('reads %s', (_name, text, encoding, addBOM) => {
    expect(decodeText(iconv.encode(text, encoding, { addBOM }))).toBe(text);
  });

  it('believes what a page declares where the bytes allow it', () => {
    const bytes = iconv.encode('Größe: 5 µm', 'iso-8859-1');
    expect(decodeText(bytes, 'iso-8859-1')).toBe('Größe: 5 µm');
    expect(decodeText(Buffer.from('退货'), 'gbk')).toBe('退货');
    expect(decodeText(Buffer.from('plain'), 'no-such-encoding')).toBe('plain');
  });

  it.each([
    ['damaged UTF-8', Buffer.concat([Buffer.from(CHINESE), Buffer.from([0xe9, 0x80]), Buffer.from('。')])],
    [
      'damaged UTF-8 of a Latin text',
      Buffer.concat([Buffer.from('It’s 5 € — déjà payé'), Buffer.from([0xff])]),
    ],
    ['UTF-8 that is marked and damaged', Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff, 0xfe])],
    ['a picture', Buffer.from('89504e470d0a1a0a0000000d494844520000001000000010080600000', 'hex')],
    ['random bytes', Buffer.from(Array.from({ length: 4000 }, (_, index) => (index * 7919) % 251))],
    ['zeros', Buffer.alloc(100)],
  ])('refuses %s', (_name, bytes) => {
    expect(() => decodeText(bytes)).toThrow(UnreadableError);
  });
});
