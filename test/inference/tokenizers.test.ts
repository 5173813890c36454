import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fillTemplate } from '../../src/inference/tokenizer/sequence-template.js';
import { createTextTokenizer } from '../../src/inference/tokenizer/text-tokenizer.js';

interface Fixture {
  tokenizer: Record<string, unknown>;
  /** Text and its ids without special tokens. */
  cases: [string, number[]][];
  /** Question, passage, ids and token types of the pair. */
  pairs: [string, string, number[], number[]][];
}

/** Ids of the reference implementation; `generate.py` in the folder made them. */
const fixtures = new URL('../fixtures/tokenizers/', import.meta.url);
const names = readdirSync(fixtures).filter((name) => name.endsWith('.json'));

describe.each(names)('the tokenizer of %s', (name) => {
  const fixture = JSON.parse(readFileSync(new URL(name, fixtures), 'utf8')) as Fixture;
  const tokenizer = createTextTokenizer(fixture.tokenizer);

  test('is our own, and gives the ids of the reference for every text of a mixed fuzz set', () => {
    expect(tokenizer.implementation).toBe('own');
    expect(fixture.cases.length).toBeGreaterThan(100);
    for (const [text, ids] of fixture.cases) {
      expect({ text, ids: [...tokenizer.encode(text)] }).toEqual({ text, ids });
    }
  });

  test('joins question and passage as the reference does', () => {
    for (const [question, passage, ids, types] of fixture.pairs) {
      const pair = { A: tokenizer.encode(question), B: tokenizer.encode(passage) };
      const sequence = fillTemplate(tokenizer.templates.pair, pair);
      expect([...sequence.ids]).toEqual(ids);
      expect([...sequence.types]).toEqual(types);
    }
  });
});

test('a component that we do not know is left to the vendor implementation', () => {
  const { tokenizer } = JSON.parse(readFileSync(new URL('bert.json', fixtures), 'utf8')) as Fixture;
  const unknown = { ...tokenizer, pre_tokenizer: { type: 'FixedLength', length: 2 } };
  expect(createTextTokenizer(unknown).implementation).toBe('vendor');
});
