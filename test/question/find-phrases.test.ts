import { describe, expect, it } from 'vitest';
import { saysOneOf } from '../../src/question/find-phrases.js';

const CHEST_PAIN = { en: ['chest pain', "can't breathe"], zh: ['胸痛', '喘不过气', '自杀'] };

describe('a phrase of a knowledge base', () => {
  it.each([
    'I have chest pain since this morning',
    'CHEST PAIN!!',
    'chest  pain',
    'Chest-pain after running',
    'chest pains',
    'I can’t breathe',
    'i cant breathe',
    '我胸痛得厉害',
    '胸 痛怎么办',
    '我想自殺',
    'My arm hurts (chest pain too)',
    'No, chest pain is what I have',
    'no fever but chest pain',
    'no chest pain yesterday, but chest pain today',
    'not only chest pain',
    '没有发烧，胸痛',
    '不只是胸痛',
    'Is it normal not to sleep with chest pain?',
  ])('is heard in “%s”', (text) => {
    expect(saysOneOf(text, CHEST_PAIN)).toBe(true);
  });

  it.each([
    'I have no chest pain',
    "I don't have any chest pain, only a cough",
    'without chest pain',
    '没有胸痛，只是咳嗽',
    '没有任何胸痛',
    '无胸痛',
    'chest painting class',
    'orchest pain',
    'My chest is fine. Pain in my leg.',
    '胸部按摩',
    '',
  ])('is not heard in “%s”', (text) => {
    expect(saysOneOf(text, CHEST_PAIN)).toBe(false);
  });

  it('may contain signs that mean something in a pattern', () => {
    expect(saysOneOf('what about c++ (beta)?', { en: ['c++ (beta)'], zh: [] })).toBe(true);
    expect(saysOneOf('what about ccc?', { en: ['c++'], zh: [] })).toBe(false);
  });
});
