import { expect, test } from 'vitest';
import { questionKeys, weighPassageTerms } from '../../src/retrieve/lexical-weights.js';
import { createSearchSpace, type SearchSpace } from '../../src/retrieve/search-space.js';
import { unit } from '../support/passages.js';

const ALL = { filter: undefined, limit: 10_000 };

function add(space: SearchSpace, number: number, word: string): void {
  space.add({
    number,
    id: String(number).padStart(6, '0'),
    documentId: 'a.md',
    language: 'en',
    tags: [],
    vector: unit([1, number]),
    terms: weighPassageTerms('shop', [word]),
  });
}

test('finds the same after vacant places were closed up', () => {
  const space = createSearchSpace(2);
  for (let number = 1; number <= 5000; number += 1)
    add(space, number, number % 7 === 0 ? 'kettle' : 'parcel');
  const keys = questionKeys('shop', ['kettle']);
  const kept = (number: number): boolean => number % 5 === 0;
  const found = (numbers: { number: number }[]): number[] => numbers.map(({ number }) => number).filter(kept);
  const before = {
    lexical: found(space.searchLexical(keys, 5000, ALL)),
    dense: found(space.searchDense(unit([0, 1]), ALL)),
  };
  for (let number = 1; number <= 5000; number += 1) if (!kept(number)) space.remove(number);
  expect(space.size).toBe(1000);
  expect(space.withTerms).toBe(1000);
  expect({
    lexical: space.searchLexical(keys, 1000, ALL).map(({ number }) => number),
    dense: space.searchDense(unit([0, 1]), ALL).map(({ number }) => number),
  }).toEqual(before);
  add(space, 5001, 'kettle');
  expect(space.searchLexical(keys, 1001, ALL)).toHaveLength(before.lexical.length + 1);
});

test('counts a term by the passages that hold it now', () => {
  const [space, fresh] = [createSearchSpace(2), createSearchSpace(2)];
  for (const number of [1, 2, 3, 4]) add(space, number, 'kettle');
  space.remove(2);
  space.remove(2);
  space.remove(99);
  for (const number of [1, 3, 4]) add(fresh, number, 'kettle');
  const keys = questionKeys('shop', ['kettle']);
  expect(space.searchLexical(keys, space.withTerms, ALL)).toEqual(
    fresh.searchLexical(keys, fresh.withTerms, ALL),
  );
});
