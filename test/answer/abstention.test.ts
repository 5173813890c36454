import { describe, expect, it } from 'vitest';
import { abstain } from '../../src/answer/abstention.js';
import { abstentionSchema, NO_ANSWER_REASONS } from '../../src/frames.js';
import type { JudgedCandidate, Passage } from '../../src/types.js';
import { passageOf } from '../support/passages.js';
import { sampleKnowledgeBase } from '../support/sample-knowledge-base.js';

const knowledgeBase = sampleKnowledgeBase({
  starters: { en: ['How long is the warranty?', 'Who pays?', 'And now?'], zh: ['保修多久？'] },
  handoff: { phrases: { en: ['talk to a human'], zh: ['转人工'] }, message: { en: 'Coming.', zh: '来了。' } },
});

function dropped(rank: number, sigmoid: number, passage: Partial<Passage>): JudgedCandidate {
  const logit = Math.log(sigmoid / (1 - sigmoid));
  const rerank = { logit, sigmoid, windows: 1, truncated: false, order: logit, rank };
  return {
    passage: passageOf('shop', { text: `Text ${rank}`, ...passage }),
    scores: { fused: { score: 1 / rank, rank }, rerank },
    decision: 'below-threshold',
  };
}

describe('where there is no answer', () => {
  it('it says so plainly, with what can be asked and how to reach a person', () => {
    expect(abstain({ reason: 'no-hits', knowledgeBase, questionLanguage: 'en' }).text).toBe(
      "I don't know. I found nothing about this in “Shop support”.\n\n" +
        'You could put it in other words, or ask something like:\n- How long is the warranty?\n- Who pays?\n\n' +
        'To reach a person, write “talk to a human”.',
    );
    expect(abstain({ reason: 'below-threshold', knowledgeBase, questionLanguage: 'zh' }).text).toBe(
      '我不知道。我查了“商店客服”，没有足够可靠的内容可以回答这个问题。\n\n' +
        '您可以换个说法再问一次，或者问问：\n- 保修多久？\n\n如需联系人工，请发送“转人工”。',
    );
  });

  it('it names the nearest topics and questions in the language of the answer, each once', () => {
    const candidates = [
      dropped(1, 0.4, { title: '退货', language: 'zh' }),
      dropped(2, 0.3, { title: 'Returns', headings: ['Fees'] }),
      dropped(3, 0.2, { title: 'Returns', headings: ['Fees'] }),
      dropped(4, 0.1, { title: 'FAQ', headings: ['Who pays?'], kind: 'faq' }),
    ];
    const { text, abstention } = abstain({
      reason: 'below-threshold',
      knowledgeBase,
      questionLanguage: 'en',
      candidates,
    });
    expect(abstentionSchema.parse(abstention)).toMatchObject({
      bestScore: 0.4,
      nearestTopics: [
        { title: 'Returns', headings: ['Fees'], score: 0.3 },
        { title: 'FAQ', headings: [], score: 0.1 },
      ],
      suggestions: ['Who pays?', 'How long is the warranty?'],
      handoffPhrase: 'talk to a human',
    });
    expect(text).toContain('comes nearest is about:\n- Returns › Fees\n- FAQ\n\n');
    expect(text).toContain('like:\n- Who pays?\n- How long is the warranty?');
  });

  it('it promises nothing that is not configured', () => {
    const { text, abstention } = abstain({
      reason: 'no-hits',
      knowledgeBase: sampleKnowledgeBase(),
      questionLanguage: 'en',
    });
    expect(text).not.toMatch(/person|like:|nearest/);
    expect(abstention).toEqual({ bestScore: null, nearestTopics: [], suggestions: [] });
  });

  it('it does not call a failure of ours ignorance', () => {
    const { text, abstention } = abstain({
      reason: 'dependency-down',
      knowledgeBase,
      questionLanguage: 'en',
    });
    expect(text).toContain("can't look anything up right now");
    expect(text).not.toContain("don't know");
    expect(abstention).toBeUndefined();
  });

  it.each(NO_ANSWER_REASONS)('it has words in both languages for %s', (reason) => {
    const say = (questionLanguage: 'en' | 'zh') => abstain({ reason, knowledgeBase, questionLanguage }).text;
    expect(say('en')).toMatch(/^[^\p{Script=Han}]+$/u);
    expect(say('zh')).toMatch(/\p{Script=Han}/u);
  });

  it('it speaks the language the knowledge base always answers in', () => {
    const always = { ...knowledgeBase, answerLanguage: 'zh' } as const;
    expect(abstain({ reason: 'no-vision', knowledgeBase: always, questionLanguage: 'en' }).text).toBe(
      '这里没有配置能看图片的模型，我看不了图片。请用文字描述您看到的情况。',
    );
  });
});
