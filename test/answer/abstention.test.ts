import { describe, expect, it } from 'vitest';
import { abstain } from '../../src/answer/abstention.js';
import { NO_ANSWER_REASONS } from '../../src/frames.js';
import { sampleKnowledgeBase } from '../support/sample-knowledge-base.js';

const knowledgeBase = sampleKnowledgeBase({
  starters: { en: ['How long is the warranty?', 'Who pays?', 'And now?'], zh: ['保修多久？'] },
  handoff: { phrases: { en: ['talk to a human'], zh: ['转人工'] }, message: { en: 'Coming.', zh: '来了。' } },
});

describe('where there is no answer', () => {
  it('it says so plainly, with what can be asked and how to reach a person', () => {
    expect(abstain('no-hits', knowledgeBase, 'en')).toBe(
      "I don't know. I found nothing about this in “Shop support”.\n\n" +
        'You could put it in other words, or ask something like:\n- How long is the warranty?\n- Who pays?\n\n' +
        'To reach a person, write “talk to a human”.',
    );
    expect(abstain('below-threshold', knowledgeBase, 'zh')).toBe(
      '我不知道。我查了“商店客服”，没有足够可靠的内容可以回答这个问题。\n\n' +
        '您可以换个说法再问一次，或者问问：\n- 保修多久？\n\n如需联系人工，请发送“转人工”。',
    );
  });

  it('it promises nothing that is not configured', () => {
    const text = abstain('no-hits', sampleKnowledgeBase(), 'en');
    expect(text).not.toMatch(/person|like:/);
  });

  it('it does not call a failure of ours ignorance', () => {
    expect(abstain('dependency-down', knowledgeBase, 'en')).toContain("can't look anything up right now");
    expect(abstain('dependency-down', knowledgeBase, 'en')).not.toContain("don't know");
  });

  it.each(NO_ANSWER_REASONS)('it has words in both languages for %s', (reason) => {
    expect(abstain(reason, knowledgeBase, 'en')).toMatch(/^[^\p{Script=Han}]+$/u);
    expect(abstain(reason, knowledgeBase, 'zh')).toMatch(/\p{Script=Han}/u);
  });

  it('it speaks the language the knowledge base always answers in', () => {
    expect(abstain('policy', { ...knowledgeBase, answerLanguage: 'zh' }, 'en')).toBe(
      '这个问题我不能在这里回答。',
    );
  });
});
