import { expect, test } from 'vitest';
import {
  inverseDocumentFrequency,
  weighPassageTerms,
  weighQuestionTerms,
} from '../../src/retrieve/lexical-weights.js';
import { createSearchSpace, type SearchSpace, type SpacePassage } from '../../src/retrieve/search-space.js';
import { createDotProducts } from '../../src/retrieve/simd-dot-products.js';
import { alike, unit } from '../support/passages.js';
import { seededRandom } from '../support/seeded-random.js';

const ALL = { filter: undefined, limit: 10_000 };

function addPassage(space: SearchSpace, number: number, fields: Partial<SpacePassage>): void {
  space.add({
    number,
    id: String(number).padStart(6, '0'),
    documentId: 'a.md',
    language: 'en',
    tags: [],
    vector: null,
    terms: weighPassageTerms('shop', []),
    ...fields,
  });
}

function add(space: SearchSpace, number: number, word: string): void {
  addPassage(space, number, { vector: unit([1, number]), terms: weighPassageTerms('shop', [word]) });
}

test('finds the same after vacant places were closed up', () => {
  const space = createSearchSpace(2, createDotProducts(2));
  for (let number = 1; number <= 5000; number += 1)
    add(space, number, number % 7 === 0 ? 'kettle' : 'parcel');
  const question = weighQuestionTerms('shop', alike(['kettle']));
  const kept = (number: number): boolean => number % 5 === 0;
  const found = (numbers: { number: number }[]): number[] => numbers.map(({ number }) => number).filter(kept);
  const before = {
    lexical: found(space.searchLexical(question, 5000, ALL)),
    dense: found(space.searchDense(unit([0, 1]), ALL)),
  };
  for (let number = 1; number <= 5000; number += 1) if (!kept(number)) space.remove(number);
  expect(space.size).toBe(1000);
  expect(space.withTerms).toBe(1000);
  expect({
    lexical: space.searchLexical(question, 1000, ALL).map(({ number }) => number),
    dense: space.searchDense(unit([0, 1]), ALL).map(({ number }) => number),
  }).toEqual(before);
  add(space, 5001, 'kettle');
  expect(space.searchLexical(question, 1001, ALL)).toHaveLength(before.lexical.length + 1);
});

test('counts a term by the passages that hold it now', () => {
  const products = createDotProducts(2);
  const [space, fresh] = [createSearchSpace(2, products), createSearchSpace(2, products)];
  for (const number of [1, 2, 3, 4]) add(space, number, 'kettle');
  space.remove(2);
  space.remove(2);
  space.remove(99);
  for (const number of [1, 3, 4]) add(fresh, number, 'kettle');
  const question = weighQuestionTerms('shop', alike(['kettle']));
  expect(space.searchLexical(question, space.withTerms, ALL)).toEqual(
    fresh.searchLexical(question, fresh.withTerms, ALL),
  );
});

test.each([1, 3, 16, 100, 256, 1024])(
  'finds what multiplying every vector of %d numbers in full finds, with the same scores',
  (dimensions) => {
    const random = seededRandom(dimensions);
    const vector = (): Float32Array => unit(Array.from({ length: dimensions }, () => random() * 2 - 1));
    const space = createSearchSpace(dimensions, createDotProducts(dimensions));
    const vectors = Array.from({ length: 1500 }, (_, number) => {
      // Some have none, some are the same, and some nearly so.
      if (number % 50 === 0) return null;
      return number % 3 === 0
        ? unit([...vector()].map((value, at) => value * 0.01 + (at === 0 ? 1 : 0)))
        : vector();
    });
    vectors.forEach((each, number) => {
      addPassage(space, number, { vector: each, language: number % 5 === 0 ? 'zh' : 'en' });
    });
    for (const filter of [undefined, { language: 'zh' as const }]) {
      const question = unit([...vector()].map((value, at) => value * 0.1 + (at === 0 ? 1 : 0)));
      const expected = vectors
        .flatMap((each, number) =>
          each === null || (filter !== undefined && number % 5 !== 0)
            ? []
            : [{ number, score: each.reduce((sum, value, at) => sum + value * (question[at] ?? 0), 0) }],
        )
        .sort((a, b) => b.score - a.score)
        .slice(0, 50);
      const found = space.searchDense(question, { filter, limit: 50 });
      expect(found).toHaveLength(50);
      found.forEach(({ number, score }, at) => {
        expect(score).toBeCloseTo(expected[at]?.score as number, 9);
        if (dimensions > 1) expect(number).toBe(expected[at]?.number);
      });
    }
  },
);

test('finds what adding up every posting finds, whatever terms and filters', () => {
  const random = seededRandom(11);
  const space = createSearchSpace(2, createDotProducts(2));
  const word = (): string => `word${Math.floor(random() ** 3 * 300)}`;
  const passages = Array.from({ length: 3000 }, (_, number) => ({
    number,
    language: number % 4 === 0 ? ('zh' as const) : ('en' as const),
    terms: weighPassageTerms('shop', Array.from({ length: 5 + Math.floor(random() * 60) }, word)),
  }));
  for (const { number, ...fields } of passages) addPassage(space, number, fields);
  const gone = (number: number): boolean => number % 10 === 3;
  for (const { number } of passages) if (gone(number)) space.remove(number);

  for (let round = 0; round < 40; round += 1) {
    const asked = Array.from({ length: 1 + (round % 9) }, word);
    const question = weighQuestionTerms('shop', new Map(asked.map((term, at) => [term, 1 / (1 + (at % 3))])));
    const filter = round % 3 === 0 ? { language: 'zh' as const } : undefined;
    const limit = [1, 10, 50][round % 3] as number;
    const here = passages.filter(({ number }) => !gone(number));
    const idfs = Array.from(question.keys, (key) =>
      inverseDocumentFrequency(space.withTerms, here.filter(({ terms }) => terms.keys.includes(key)).length),
    );
    const expected = here
      .filter(({ language }) => filter === undefined || language === filter.language)
      .map(({ number, terms }) => ({
        number,
        score: question.keys.reduce((sum, key, at) => {
          const weight = terms.weights[terms.keys.indexOf(key)] ?? 0;
          return sum + weight * (idfs[at] as number) * (question.weights[at] as number);
        }, 0),
      }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score)
      .slice(0, limit);
    const found = space.searchLexical(question, space.withTerms, { filter, limit });
    expect(found.map(({ score }) => score)).toEqual(expected.map(({ score }) => expect.closeTo(score, 9)));
  }
});
