import { expect, test } from 'vitest';
import {
  inverseDocumentFrequency,
  termKey,
  weighPassageTerms,
  weighQuestionTerms,
} from '../../src/retrieve/lexical-weights.js';

const weightOf = (terms: string[], term: string): number => {
  const { keys, weights } = weighPassageTerms('shop', terms);
  return weights[keys.indexOf(termKey('shop', term))] ?? 0;
};
const repeat = (term: string, times: number): string[] => Array.from({ length: times }, () => term);

test('weighs by BM25: a typical passage that says a term once gives it 1', () => {
  const typical = ['kettle', ...Array.from({ length: 199 }, (_, index) => `filler${index}`)];
  expect(weightOf(typical, 'kettle')).toBeCloseTo(1, 6);
});

test('saturates: the tenth mention adds less than the second', () => {
  const weightAfter = (times: number): number => weightOf(repeat('kettle', times), 'kettle');
  expect(weightAfter(2) - weightAfter(1)).toBeGreaterThan(weightAfter(10) - weightAfter(9));
  expect(weightAfter(1000)).toBeLessThan(2.2);
});

test('weighs a term less in a longer passage', () => {
  expect(weightOf(['kettle', ...repeat('x', 400)], 'kettle')).toBeLessThan(weightOf(['kettle'], 'kettle'));
});

test('gives sorted keys without repeats', () => {
  const { keys, weights } = weighPassageTerms('shop', ['b', 'a', 'b', 'c']);
  expect([...keys]).toEqual([...new Set(keys)].sort((a, b) => a - b));
  expect(weights).toHaveLength(3);
});

test('keeps with each key what its term counts', () => {
  const counts = { c: 1, a: 0.5, b: 0.25 };
  const { keys, weights } = weighQuestionTerms('shop', new Map(Object.entries(counts)));
  expect([...keys]).toEqual([...keys].sort((a, b) => a - b));
  const byKey = new Map(Array.from(keys, (key, at) => [key, weights[at]]));
  for (const [term, count] of Object.entries(counts)) expect(byKey.get(termKey('shop', term))).toBe(count);
});

test('gives a term of another knowledge base another key', () => {
  expect(termKey('shop', 'kettle')).not.toBe(termKey('health', 'kettle'));
});

test('spreads terms over 32 bits: 100,000 terms collide about as often as chance would have it', () => {
  const keys = new Set(Array.from({ length: 100_000 }, (_, index) => termKey('shop', `term-${index}`)));
  // Expected collisions: n² / 2^33 ≈ 1.2.
  expect(keys.size).toBeGreaterThan(99_990);
});

test('tells rare terms from common ones and never scores a match below zero', () => {
  expect(inverseDocumentFrequency(1000, 3)).toBeGreaterThan(inverseDocumentFrequency(1000, 300));
  expect(inverseDocumentFrequency(10, 10)).toBeGreaterThan(0);
});
