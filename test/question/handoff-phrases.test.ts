import { describe, expect, it } from 'vitest';
import { isPhrase, plainPhrase, saysOneOf } from '../../src/question/find-phrases.js';
import { ANGER, ASKS_FOR_PERSON } from '../../src/question/handoff-phrases.js';
import { readFixtureLines } from '../support/fixture-lines.js';

describe('what asks for a person, and what is angry', () => {
  const sentences = readFixtureLines<{ half: string; text: string; kind: string | null }>(
    'handoff/handoff.jsonl',
  );
  const heard = (half: string, kind: string | null, phrases: typeof ANGER): number => {
    const some = sentences.filter((one) => one.half === half && one.kind === kind);
    expect(some.length).toBeGreaterThanOrEqual(80);
    return some.filter(({ text }) => saysOneOf(text, phrases)).length / some.length;
  };

  it('is heard in the words of most customers', () => {
    expect(heard('development', 'human', ASKS_FOR_PERSON)).toBeGreaterThan(0.95);
    expect(heard('test', 'human', ASKS_FOR_PERSON)).toBeGreaterThan(0.8);
    expect(heard('development', 'angry', ANGER)).toBeGreaterThan(0.95);
    expect(heard('test', 'angry', ANGER)).toBeGreaterThan(0.7);
  });

  it('is seldom heard where nobody means it', () => {
    expect(heard('development', null, ASKS_FOR_PERSON)).toBeLessThan(0.02);
    expect(heard('test', null, ASKS_FOR_PERSON)).toBeLessThan(0.06);
    expect(heard('development', null, ANGER)).toBeLessThan(0.02);
    expect(heard('test', null, ANGER)).toBeLessThan(0.05);
    const questions = ['demo-questions.jsonl', 'demo-unanswerable.jsonl'].flatMap(
      readFixtureLines<{ question: string }>,
    );
    const wrong = questions.filter(({ question }) =>
      [ASKS_FOR_PERSON, ANGER].some((phrases) => saysOneOf(question, phrases)),
    );
    expect(wrong).toEqual([]);
  });

  it('are phrases all of them, and the first can be written as it stands', () => {
    const all = [ASKS_FOR_PERSON, ANGER].flatMap(({ en, zh }) => [...en, ...zh]);
    expect(all.filter((phrase) => !isPhrase(phrase))).toEqual([]);
    expect(plainPhrase(ASKS_FOR_PERSON.en)).toBe('talk to a human');
    expect(plainPhrase(ASKS_FOR_PERSON.zh)).toBe('转人工');
    expect(plainPhrase(['a + b', 'a|b', '=agent', 'call me'])).toBe('call me');
    expect(plainPhrase(['a|b'])).toBeUndefined();
  });
});
