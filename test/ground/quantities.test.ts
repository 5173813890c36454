import { describe, expect, it } from 'vitest';
import { compareQuantity, readQuantities } from '../../src/ground/quantities.js';

function written(text: string): string[] {
  return readQuantities(text).map(({ value, unit }) => (unit === null ? value : `${value} ${unit}`));
}

describe('the numbers of a text', () => {
  it.each([
    ['You have 30 days.', ['30 day']],
    ['You have thirty days, or forty-five working days', ['30 day', '45 workday']],
    ['within 2 business days', ['2 workday']],
    ['2–4 business days', ['2 workday', '4 workday']],
    ['a child 12 years old', ['12 age']],
    ['2 to 4 weeks', ['2 week', '4 week']],
    ['2–4 个工作日', ['2 workday', '4 workday']],
    ['三十天内', ['30 day']],
    ['一百二十元', ['120 yuan']],
    ['两周', ['2 week']],
    ['十二个月', ['12 month']],
    ['¥1,299.50', ['1299.5 yuan']],
    ['a fee of 10 %', ['10 percent']],
    ['10％', ['10 percent']],
    ['满 99 元包邮', ['99 yuan']],
    ['until 31 January', ['01-31 date']],
    ['until January 31st', ['01-31 date']],
    ['到1月31日为止', ['01-31 date']],
    ['before 16:00', ['16:00 time']],
    ['before 4 pm', ['16:00 time']],
    ['下午4点前', ['16:00 time']],
    ['8:00–24:00', ['08:00 time', '24:00 time']],
    ['error E07 on model X-200', []],
    ['version 2.1', ['2.1']],
    ['37.5 °C', ['37.5 degree']],
    ['5 mistakes', ['5']],
    ['500 mg twice', ['500 milligram']],
    ['one of them', []],
    ['一下', []],
  ])('“%s” has %j', (text, quantities) => {
    expect(written(text)).toEqual(quantities);
  });

  it('agree only with the same value, and only with the same unit where both have one', () => {
    const given = readQuantities('30 days and ¥18');
    expect(compareQuantity({ value: '30', unit: 'day' }, given)).toBe('same');
    expect(compareQuantity({ value: '30', unit: null }, given)).toBe('same');
    expect(compareQuantity({ value: '30', unit: 'hour' }, given)).toBe('other-unit');
    expect(compareQuantity({ value: '31', unit: 'day' }, given)).toBe('missing');
  });
});
