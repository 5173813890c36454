import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.js';
import { redact, redactText } from '../../src/telemetry/redact.js';

describe('Text', () => {
  it.each([
    ['an e-mail address', 'write to li.wei+shop@mail.example.com.cn now', 'write to [e-mail] now'],
    ['a Chinese mobile number', '电话13812345678。', '电话[phone]。'],
    ['one with spaces and country code', 'call +86 138 1234 5678', 'call [phone]'],
    ['one in full-width digits', '手机：１３８１２３４５６７８', '手机:[phone]'],
    ['a landline', '座机 010-62345678', '座机 [phone]'],
    ['a foreign number', 'call +44 20 7946 0958', 'call [phone]'],
    ['an identity number', '身份证11010519491231002X', '身份证[identity number]'],
    ['a bank card', 'card 6222 0212 3456 7890 128 was', 'card [card] was'],
    ['a card without spaces', '4111111111111111', '[card]'],
    ['a bearer token', 'Authorization: Bearer abcdef123456.xyz', 'Authorization: [token]'],
    ['a JWT', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig', '[token]'],
    ['an API key', 'key sk-proj-abcdefghijklmnop failed', 'key [key] failed'],
    ['a key in a query', 'GET /x?api_key=topsecret&y=1', 'GET /x?api_key=[key]&y=1'],
    ['a password in an address', 'redis://user:pass@host:6379', 'redis://[key]@host:6379'],
  ])('loses %s', (_, text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });

  it.each([
    '6f2b0cb5-8a6f-4b0f-9a3e-0b8d2f6a1c11',
    '12345678-1234-4123-8123-123456789013',
    'order 2026112101420001 of 2026-11-21T01:42:58.123Z',
    'error E13812 on port 13812',
    '1234567890123456',
    'ab'.repeat(32),
    '退货需要３０天（全角）',
    'Returns take 30 days; the fee is 12.50 yuan.',
  ])('keeps %s', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it('is read in time proportional to its length', () => {
    const texts = ['a.'.repeat(50_000), '1 '.repeat(50_000), 'eyJ'.repeat(30_000), 'api_key='.repeat(10_000)];
    for (const text of texts) expect(redactText(`${text}@`)).toContain(text.slice(0, 2));
  });
});

describe('A value', () => {
  it('loses what stands under the name of a secret, at any depth', () => {
    const value = {
      apiKey: 'x',
      headers: { Authorization: 'x', cookie: 'x', 'x-api-key': 'x', accept: 'text/html' },
      list: [{ password: 'x' }],
      tokens: 12,
    };
    expect(redact(value)).toEqual({
      apiKey: '[redacted]',
      headers: {
        Authorization: '[redacted]',
        cookie: '[redacted]',
        'x-api-key': '[redacted]',
        accept: 'text/html',
      },
      list: [{ password: '[redacted]' }],
      tokens: 12,
    });
  });

  it('that is an error keeps its causes, and nothing that a vendor hung on it', () => {
    const vendor = Object.assign(new Error('401 for sk-abcdefghijklmnop'), {
      config: { headers: { key: 'sk-x' } },
    });
    const shown = redact(new AppError('model-failed', undefined, { cause: vendor }));
    expect(shown).toMatchObject({ code: 'model-failed', cause: { name: 'Error', message: '401 for [key]' } });
    expect(JSON.stringify(shown)).not.toContain('sk-');
  });

  it('becomes plain JSON, whatever it is', () => {
    const circular: Record<string, unknown> = {
      big: 1n,
      run: () => 1,
      date: new Date(0),
      bad: new Date(Number.NaN),
    };
    circular.self = circular;
    circular.bytes = new Uint8Array(3);
    circular.map = new Map([['a', 1]]);
    expect(JSON.parse(JSON.stringify(redact(circular)))).toMatchObject({
      big: '1',
      run: '[function]',
      date: '1970-01-01T00:00:00.000Z',
      bad: 'invalid date',
      bytes: '[3 bytes]',
      map: [['a', 1]],
    });
    expect(JSON.stringify(redact('x'.repeat(100_000))).length).toBeLessThan(5000);
    expect((redact(Array.from({ length: 1000 }, () => 1)) as unknown[]).length).toBe(100);
  });
});
