import { describe, expect, it } from 'vitest';
import type { ChatMessage, ChatModel } from '../../src/answer/chat-model.js';
import { createModelAnswerer } from '../../src/answer/model-answerer.js';
import { loadPrompts } from '../../src/answer/prompts.js';
import { createMask } from '../../src/guard/mask.js';
import { redactTexts } from '../../src/telemetry/redact.js';
import { traceOf } from '../support/frames.js';
import { sampleKnowledgeBase } from '../support/sample-knowledge-base.js';
import { sampleSource } from '../support/sample-source.js';

const PHONE = '13812345678';
const QUESTION = `我的电话是${PHONE}，邮箱 li@example.com，什么时候回电？`;

describe('A mask', () => {
  it('puts back what it hid, wherever the stream is cut', () => {
    for (let cut = 0; cut < 40; cut += 1) {
      const mask = createMask();
      const hidden = mask.hide(QUESTION);
      expect(hidden).not.toMatch(/138|li@/);
      const shown = mask.restore(hidden.slice(0, cut)) + mask.restore(hidden.slice(cut)) + mask.rest();
      expect(shown).toBe(QUESTION);
    }
  });

  it('gives the same datum the same placeholder, and leaves placeholders alone that it did not make', () => {
    const mask = createMask();
    expect(mask.hide(`${PHONE} ${PHONE}`)).toBe('⟨PHONE-1⟩ ⟨PHONE-1⟩');
    expect(mask.restore('⟨PHONE-9⟩ ⟨x') + mask.rest()).toBe('⟨PHONE-9⟩ ⟨x');
  });
});

describe('A knowledge base that says `mask: true`', () => {
  const ask = async (mask: boolean): Promise<{ sent: string; shown: string }> => {
    let sent: readonly ChatMessage[] = [];
    const chatModel: ChatModel = {
      models: ['fake'],
      async *stream(messages) {
        sent = messages;
        for (const letter of '我们会拨打⟨PHONE-2⟩ 或⟨PHONE-1⟩[1]。') yield { type: 'text', text: letter };
      },
    };
    const answerer = createModelAnswerer({
      chatModel,
      visionModel: null,
      prompts: await loadPrompts('prompts'),
    });
    let shown = '';
    const request = {
      messageId: 'm',
      owner: 'local',
      question: { text: QUESTION, standalone: QUESTION, language: 'zh' as const },
      sources: [sampleSource(1, '热线 010-62345678，每天回电。')],
      turns: [{ question: `我是 ${PHONE}`, standalone: 'x', answer: '好的。' }],
      knowledgeBase: sampleKnowledgeBase({ mask }),
      images: [],
    };
    for await (const event of answerer.answer(request, { signal: new AbortController().signal })) {
      if (event.type === 'text') shown += event.text;
    }
    return { sent: JSON.stringify(sent), shown };
  };

  it('shows the model no personal data, and the reader the original again', async () => {
    const { sent, shown } = await ask(true);
    expect(sent).not.toMatch(/13812345678|li@example|62345678/);
    expect(shown).toMatch(/(?:13812345678|010-62345678) 或(?:13812345678|010-62345678)/);
    expect(shown).not.toContain('⟨');
  });

  it('is the exception: the others show the model what was written', async () => {
    expect((await ask(false)).sent).toContain(PHONE);
  });
});

it('A trace is stored without personal data, its ids and times as they are', () => {
  const trace = {
    ...traceOf('6f2b0cb5-8a6f-4b0f-9a3e-0b8d2f6a1c11'),
    question: { text: QUESTION, standalone: QUESTION, language: 'zh' as const },
  };
  const stored = redactTexts(trace);
  expect(JSON.stringify(stored)).not.toMatch(/13812345678|li@example/);
  expect(stored).toEqual({ ...trace, question: { ...stored.question, language: 'zh' } });
  expect(stored.question.text).toBe('我的电话是[phone],邮箱 [e-mail],什么时候回电?');
});
