import { describe, expect, it } from 'vitest';
import { findPersonalData } from '../src/personal-data.js';

const kindsIn = (text: string): string[] => findPersonalData(text).map(({ kind }) => kind);
const found = (text: string): string[] =>
  findPersonalData(text).map(({ start, end }) => text.slice(start, end));

describe('Personal data', () => {
  it.each([
    ['e-mail', '写信到 li.wei@example.com.cn 即可', 'li.wei@example.com.cn'],
    ['phone', '电话13812345678。', '13812345678'],
    ['phone', '固话(010) 62345678', '(010) 62345678'],
    ['phone', 'call (212) 555-0147 today', '(212) 555-0147'],
    ['phone', 'call +44 20 7946 0958', '+44 20 7946 0958'],
    ['identity number', '身份证 11010519491231002X', '11010519491231002X'],
    ['identity number', 'my SSN is 123-45-6789.', '123-45-6789'],
    ['identity number', 'NI number AB 12 34 56 C', 'AB 12 34 56 C'],
    ['card', '卡号 6222 0212 3456 7890 128', '6222 0212 3456 7890 128'],
    ['card', 'Visa 4111-1111-1111-1111', '4111-1111-1111-1111'],
    ['passport', '护照号码：E12345678', 'E12345678'],
    ['passport', 'passport no. X1234567', 'X1234567'],
    ['plate', '车牌京A·12345停在门口', '京A·12345'],
    ['plate', '新能源车牌粤BD12345', '粤BD12345'],
    ['address', 'I live at 221B Baker Street, Flat 2', '221B Baker Street, Flat 2'],
  ])('of kind %s is found in %s', (kind, text, datum) => {
    expect(kindsIn(text)).toEqual([kind]);
    expect(found(text)).toEqual([datum]);
  });

  it('an address from road to house is found, a town or a road alone is not', () => {
    expect(kindsIn('请寄到北京市海淀区中关村大街27号3号楼502室')).toEqual(['address']);
    expect(kindsIn('阳光花园12号楼3单元501室')).toEqual(['address']);
    expect(kindsIn('我们在北京市海淀区，靠近中关村大街')).toEqual([]);
  });

  it('is told from numbers of the same length by its check digit', () => {
    expect(kindsIn('110105194912310021')).toEqual([]);
    expect(kindsIn('订单号 6222021234567890127')).toEqual([]);
    expect(kindsIn('4111111111111112')).toEqual([]);
  });

  it.each([
    '退货期限30天，运费4欧元，客服时间9:00-18:00',
    'Order 2026112101420001 of 2026-11-21, 12.50 yuan, model XR-2000-5000',
    '6f2b0cb5-8a6f-4b0f-9a3e-0b8d2f6a1c11',
    'Section 3-14-2015 has 5 steps; 30 days a way',
  ])('is not seen in %s', (text) => {
    expect(findPersonalData(text)).toEqual([]);
  });
});
