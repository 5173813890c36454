import { describe, expect, it } from 'vitest';
import type { AnswerEvent } from '../../src/answer/answerer.js';
import { guardDoses } from '../../src/answer/dose-guard.js';

const GIVEN = [
  '布洛芬每次 200–400 毫克，24 小时不超过 1,200 毫克。',
  'Paracetamol: 500 mg to 1 g. Take two tablets at most.',
];

async function write(deltas: readonly string[], language: 'en' | 'zh' = 'en') {
  async function* events(): AsyncGenerator<AnswerEvent> {
    for (const text of deltas) yield { type: 'text', text };
    yield { type: 'usage', usage: { model: 'scripted', promptTokens: 1, completionTokens: 1 } };
  }
  const out: AnswerEvent[] = [];
  for await (const event of guardDoses(events(), { given: GIVEN, language })) out.push(event);
  return {
    text: out.map((event) => (event.type === 'text' ? event.text : '')).join(''),
    withheld: out.reduce((sum, event) => sum + (event.type === 'doses-withheld' ? event.count : 0), 0),
    events: out,
  };
}

describe('a dose in an answer', () => {
  it.each([
    'Take 400 mg of ibuprofen [1].',
    'At most 1.2 g a day, that is 1,200 milligrams.',
    'Adults take 0.5 g to 1 g.',
    'Two tablets are enough, or 2 pills.',
    'Wait 6 hours; it is 38 °C and 30 days.',
    '一次 200–400 毫克，最多两片。',
  ])('passes where a passage names it, whatever the unit and language: %s', async (text) => {
    expect(await write([text])).toMatchObject({ text, withheld: 0 });
  });

  it.each([
    ['Take 800 mg now.', 'Take (dose withheld: no source names it) now.'],
    ['Take 400-800mg.', 'Take (dose withheld: no source names it).'],
    ['Take five tablets at once', 'Take (dose withheld: no source names it) at once'],
  ])('is withheld where none does: %s', async (text, shown) => {
    expect(await write([text])).toMatchObject({ text: shown, withheld: 1 });
  });

  it('is withheld in the language of the answer', async () => {
    expect(await write(['每次吃 800 毫克。'], 'zh')).toMatchObject({
      text: '每次吃 （剂量略去：资料中没有）。',
    });
  });

  it('never shows a part of itself, however the model cuts it', async () => {
    const text = 'Take 800 mg now, or 400 mg later.';
    const shown = 'Take (dose withheld: no source names it) now, or 400 mg later.';
    expect((await write([...text])).text).toBe(shown);
    for (let cut = 1; cut < text.length; cut += 1) {
      expect((await write([text.slice(0, cut), text.slice(cut)])).text).toBe(shown);
    }
  });

  it('holds no text back where no number is near', async () => {
    const { events } = await write(['Rest and drink enough. ', 'See a doctor.']);
    expect(events.slice(0, 2)).toEqual([
      { type: 'text', text: 'Rest and drink enough. ' },
      { type: 'text', text: 'See a doctor.' },
    ]);
  });
});
