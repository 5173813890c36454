import { describe, expect, it } from 'vitest';
import { createGrounding } from '../../src/ground/citation-grounding.js';
import type { AnswerEvaluationOptions } from '../../src/learn/answer-evaluation.js';
import { evaluateGrounding } from '../../src/learn/evaluate-grounding.js';
import { type GroundingCorpus, makeGroundingCases } from '../../src/learn/grounding-set.js';
import { exchangeNumbers, joinSentences } from '../../src/learn/join-sentences.js';
import { PARAPHRASES } from '../../src/learn/paraphrase.js';
import { seededRandom } from '../../src/learn/seeded-random.js';
import { TAMPERINGS } from '../../src/learn/tamper.js';
import { createAnalyzer } from '../../src/retrieve/analyzer.js';
import type { Language, Passage } from '../../src/types.js';

const TEXTS = [
  'In 1905, Albert Einstein published four papers in Bern. The papers were not noticed for 3 years.',
  'The Eiffel Tower was finished on 31 March 1889 in Paris. It is 330 metres high and weighs 10,100 tons.',
  'Rice must soak for 30 minutes before it is steamed. Brown rice needs two hours, about twice as much.',
  '保修期为 3 年，电池的保修期为 12 个月。2019年5月6日，张伟在杭州创办了这家公司。',
  '洗碗机不可以放入银器，因为银会变黑。滤网需要每周清洗一次，每次约 5 分钟。',
  '从上海到北京的列车可以改签两次，但是必须在发车前 24 小时办理，费用为票价的 20%。',
];

const passage = (text: string, index: number): Passage => ({
  id: `p${index}`,
  knowledgeBase: 'eval',
  documentId: `d${index}`,
  title: `Title ${index}`,
  headings: [],
  text,
  kind: 'text',
  language: /[一-鿿]/.test(text) ? 'zh' : 'en',
  tags: [],
  position: 0,
  tokens: 10,
  updatedAt: new Date(0).toISOString(),
});
const CORPUS: GroundingCorpus = {
  name: 'sample',
  passages: TEXTS.map(passage),
  names: new Map([
    ['d0', ['Albert Einstein', 'Bern']],
    ['d1', ['Paris']],
    ['d3', ['张伟', '杭州']],
    ['d5', ['上海', '北京']],
  ]),
};

const tamper = (what: string, text: string, language: Language, names = { here: [''], elsewhere: [''] }) =>
  TAMPERINGS[what]?.(text, { language, passage: TEXTS.join(' '), names, random: seededRandom(7) });

describe('the grounding set', () => {
  it('is the same each time, and says of each sentence what is right', () => {
    const cases = makeGroundingCases(CORPUS);
    expect(makeGroundingCases(CORPUS)).toEqual(cases);
    expect(new Set(cases.map(({ kind }) => kind.split(':')[0]))).toEqual(
      new Set(['right', 'swapped', 'changed']),
    );
    for (const { kind, answer, sources } of cases) {
      const cited = sources[Number(/\[(\d)\]$/.exec(answer)?.[1]) - 1];
      const text = answer.replace(/ \[\d\]$/, '');
      expect(cited?.text.includes(text), `${kind}: ${answer}`).toBe(kind === 'right:verbatim');
    }
  });

  it('paraphrases without a change of meaning', () => {
    const { reordered, numerals, dates, shortened, framed } = PARAPHRASES;
    expect(reordered?.('In 1905, he published four papers.', 'en')).toBe('He published four papers in 1905.');
    expect(reordered?.('He came, saw, and won.', 'en')).toBeUndefined();
    expect(numerals?.('保修 3 年，误差 25%。', 'zh')).toBe('保修 三 年，误差 百分之二十五。');
    expect(numerals?.('Within two hours, by 5 %.', 'en')).toBe('Within 2 hours, by 5 percent.');
    expect(dates?.('Finished on 31 March 1889.', 'en')).toBe('Finished on March 31, 1889.');
    expect(dates?.('2019年5月6日开业。', 'zh')).toBe('2019-05-06开业。');
    expect(framed?.('It is high.', 'en')).toMatch(/^[A-Z].+ it is high\.$/);
    expect(shortened?.('It is high (330 metres) and heavy as well.', 'en')).toBe(
      'It is high and heavy as well.',
    );
  });

  it('changes exactly what it says it changes', () => {
    expect(tamper('number', 'It is 330 metres high.', 'en')).toMatch(/^It is (?!330)\d{3} metres high\.$/);
    expect(tamper('number', 'In March 1889 it was finished.', 'en')).toBeUndefined();
    expect(tamper('date', '2019年5月6日开业。', 'zh')).toMatch(
      /^(?!2019年5月6日)\d{4}年\d{1,2}月\d{1,2}日开业。$/,
    );
    expect(tamper('unit', '保修 12 个月。', 'zh')).toMatch(/^保修 12 (?!个月)[^\d]+。$/);
    expect(tamper('negation', 'It was not noticed.', 'en')).toBe('It was noticed.');
    expect(tamper('negation', '不可以放入银器。', 'zh')).toBe('可以放入银器。');
    expect(tamper('name', 'He lives in Bern.', 'en', { here: ['Bern'], elsewhere: ['Oslo'] })).toBe(
      'He lives in Oslo.',
    );
  });
});

describe('two sentences in one', () => {
  const english = ['Rice must soak for 30 minutes.', 'The brown one needs 2 hours.'] as const;

  it('keep their words, and the second loses the capital of a word that is no name', () => {
    expect(joinSentences(english, 'en')).toBe(
      'Rice must soak for 30 minutes, and the brown one needs 2 hours.',
    );
    expect(joinSentences(['It rains.', 'Bern is wet.'], 'en')).toBe('It rains; Bern is wet.');
    expect(joinSentences(['保修期为 3 年。', '电池为 12 个月。'], 'zh')).toBe(
      '保修期为 3 年；电池为 12 个月。',
    );
    expect(joinSentences(['It rains.', 'Bern is wet.'], 'en', ' [2]')).toBe('It rains [2]; Bern is wet.');
    expect(joinSentences(['It rains!', 'Bern is wet.'], 'en')).toBeUndefined();
  });

  it('exchange their first numbers where both have one', () => {
    expect(exchangeNumbers(english, 'en')).toEqual([
      'Rice must soak for 2 minutes.',
      'The brown one needs 30 hours.',
    ]);
    expect(exchangeNumbers(['It rains.', 'It takes 2 hours.'], 'en')).toBeUndefined();
    expect(exchangeNumbers(['Take 2.', 'Then take 2 more.'], 'en')).toBeUndefined();
  });
});

describe('evaluateGrounding', () => {
  const evaluate = (ground: AnswerEvaluationOptions['steps']['ground']) =>
    evaluateGrounding({
      sets: [],
      steps: { ground },
      index: {
        listDocuments: async () => CORPUS.passages.map(({ documentId }) => ({ documentId })),
        readDocument: async (_: string, id: string) =>
          CORPUS.passages.filter(({ documentId }) => documentId === id),
      },
      knowledgeBases: { list: () => [{ id: 'sample' }] },
      indexKnowledge: async () => undefined,
      signal: new AbortController().signal,
    } as unknown as AnswerEvaluationOptions);

  it('measures the real check by language and kind', async () => {
    const measures = await evaluate(createGrounding({ analyzer: createAnalyzer() }));
    const all = Object.fromEntries(
      measures.filter(({ group }) => group === 'all').map(({ name, mean }) => [name, mean]),
    );
    expect(all['right-kept:verbatim']).toBe(1);
    expect(all['swapped-flagged']).toBe(1);
    expect(new Set(measures.map(({ group }) => group))).toEqual(new Set(['all', 'sample en', 'sample zh']));
  });

  it('gives no credit to a check that says yes to everything', async () => {
    const analyzer = createAnalyzer();
    const measures = await evaluate((sources) => {
      const real = createGrounding({ analyzer })(sources);
      const approve = (frames: ReturnType<typeof real.push>): typeof frames =>
        frames.map((frame) =>
          frame.type === 'grounding-checked' ? { ...frame, verdict: 'supported' } : frame,
        );
      return {
        push: (text) => approve(real.push(text)),
        finish: () => approve(real.finish()),
        get text() {
          return real.text;
        },
        citations: [],
        inventedCitations: 0,
        withheld: 0,
      };
    });
    const of = (name: string) => measures.find((one) => one.name === name && one.group === 'all')?.mean;
    expect(of('right-kept')).toBe(1);
    expect(of('swapped-flagged')).toBe(0);
    expect(of('changed-flagged')).toBe(0);
  });
});
