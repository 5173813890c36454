import { describe, expect, it } from 'vitest';
import { isPhrase, saysOneOf } from '../../src/question/find-phrases.js';

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
    '不需要胸痛药膏',
    'chest painting class',
    'orchest pain',
    'My chest is fine. Pain in my leg.',
    '胸部按摩',
    '',
  ])('is not heard in “%s”', (text) => {
    expect(saysOneOf(text, CHEST_PAIN)).toBe(false);
  });

  const STIFF_NECK = { en: ["neck + stiff|won't bend + fever|temp"], zh: ['脖子|后颈 + 硬|僵 + 烧'] };

  it.each([
    'stiff neck, fever of 39',
    'his temp is 39 and the neck wont bend',
    'no rash, but fever and his neck is stiff',
    '孩子发烧了，后颈很僵',
    '脖 子 硬邦邦的 还在烧',
  ])('of several parts is heard in any order and wording: “%s”', (text) => {
    expect(saysOneOf(text, STIFF_NECK)).toBe(true);
  });

  it.each([
    'stiff neck after a bad night',
    'no fever, just a stiff neck',
    'a feverish necklace is stiff',
    '脖子僵，没有烧',
    '发烧头痛',
  ])('of several parts is not heard where one is missing or denied: “%s”', (text) => {
    expect(saysOneOf(text, STIFF_NECK)).toBe(false);
  });

  it.each(['neck + ', ' + stiff', 'neck | + stiff', '|', '', ' ', '?'])('cannot be “%s”', (phrase) => {
    expect(isPhrase(phrase)).toBe(false);
  });

  it('with an = is heard only where nothing else is said', () => {
    const alone = { en: ['=agent|operator'], zh: ['=人工'] };
    for (const text of ['agent', 'Agent, please!', 'AGENT AGENT', '人工！人工！', '请人工']) {
      expect(saysOneOf(text, alone), text).toBe(true);
    }
    for (const text of ['What is the agent fee?', '人工皮革是什么', 'agents of change']) {
      expect(saysOneOf(text, alone), text).toBe(false);
    }
  });

  it('is not heard where there is no need for it', () => {
    const person = { en: ['talk to a human'], zh: ['转人工'] };
    for (const text of ["I don't need to talk to a human", 'no need to talk to a human', '不用转人工了']) {
      expect(saysOneOf(text, person), text).toBe(false);
    }
    expect(saysOneOf('whether or not to talk to a human', person)).toBe(true);
  });

  it('is heard where it is asked for, not only where it is said', () => {
    expect(saysOneOf('有没有胸痛算严重', CHEST_PAIN)).toBe(true);
  });

  it('may contain signs that mean something in a pattern', () => {
    expect(saysOneOf('what about c++ (beta)?', { en: ['c++ (beta)'], zh: [] })).toBe(true);
    expect(saysOneOf('what about ccc?', { en: ['c++'], zh: [] })).toBe(false);
  });
});
