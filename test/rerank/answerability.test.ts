import { describe, expect, it } from 'vitest';
import { type AnswerabilityModel, judgeAnswerability, readSignals } from '../../src/rerank/answerability.js';
import { createAnalyzer } from '../../src/retrieve/analyzer.js';
import type { Candidate } from '../../src/types.js';
import { passageOf } from '../support/passages.js';

const analyzer = createAnalyzer();
const lexicon = { dictionary: [], synonyms: [] };

function candidateOf(rank: number, logit: number, text: string, cosine?: number): Candidate {
  const sigmoid = 1 / (1 + Math.exp(-logit));
  return {
    passage: passageOf('shop', { text, title: '' }),
    scores: {
      fused: { score: 1 / rank, rank },
      ...(cosine === undefined ? {} : { dense: { score: cosine, rank } }),
      rerank: { logit, sigmoid, windows: 1, truncated: false, order: logit, rank },
    },
  };
}

const signalsOf = (question: string, candidates: readonly Candidate[]) =>
  readSignals(analyzer.analyzeQuestion(question, lexicon), candidates, (text) =>
    analyzer.analyze(text, lexicon),
  );

describe('the signals of a question', () => {
  const candidates = [
    candidateOf(2, 1, 'Kettles are descaled with vinegar.', 0.6),
    candidateOf(1, 3, 'Kettles are returned within 30 days.', 0.8),
    candidateOf(3, -2, 'Kettles are boiled.'),
  ];

  it('say how relevant the best passage is, and how far it stands out', () => {
    const signals = signalsOf('When are kettles returned?', candidates);
    expect(signals).toMatchObject({ logit: 3, lead: 2, cosine: 0.8, coverage: 1 });
    expect(signals?.cosineLead).toBeCloseTo(0.8 - 0.3, 12);
  });

  it('count a word that few passages hold for more than one that all hold', () => {
    const common = signalsOf('kettles warranty', candidates)?.coverage ?? 1;
    const rare = signalsOf('vinegar warranty', candidates)?.coverage ?? 0;
    expect(common).toBeGreaterThan(0);
    expect(rare).toBeGreaterThan(2 * common);
  });

  it('say how much the best passage by words shares with the question, and how much that is per word', () => {
    const [first, second] = candidates as [Candidate, Candidate];
    const found = [
      { ...first, scores: { ...first.scores, lexical: { score: 4, rank: 2 } } },
      { ...second, scores: { ...second.scores, lexical: { score: 9, rank: 1 } } },
    ];
    expect(signalsOf('descaled returned vinegar', found)).toMatchObject({ lexical: 9, lexicalPerTerm: 3 });
    expect(signalsOf('descaled', candidates)).toMatchObject({ lexical: 0, lexicalPerTerm: 0 });
  });

  it('set the codes of the question that a passage holds against those that none does', () => {
    const found = [
      candidateOf(1, 1, 'E07: the laser tower of the R3 is blocked.'),
      candidateOf(2, 0, 'E 08: the R3 is trapped.'),
      candidateOf(3, 0, 'The R3 is stored for 30min. Part DE07, E070.'),
    ];
    const identifiers = (question: string): number => signalsOf(question, found)?.identifiers ?? Number.NaN;
    expect(identifiers('What is wrong for 30min?')).toBe(0);
    expect(identifiers('What does E-07 mean?')).toBeCloseTo(Math.log(1 + 2.5 / 1.5), 12);
    expect(identifiers('What does E0 mean?')).toBeLessThan(0);
    expect(identifiers("What are v2.1, a/b1, c++3, d#4, e,5 and f'6?")).toBeLessThan(0);
    expect(identifiers('What does E99 mean?')).toBeCloseTo(-Math.log(1 + 3.5 / 0.5), 12);
    expect(identifiers('What does E08 mean?')).toBe(identifiers('What does E07 mean?'));
    expect(identifiers('机器人 R3 报 E07')).toBeGreaterThan(identifiers('机器人报 E07'));
    expect(identifiers('机器人 R3 报 E99')).toBeLessThan(0);
  });

  it('are none without candidates', () => {
    expect(signalsOf('kettles', [])).toBeNull();
  });
});

it('the model adds what the signals weigh', () => {
  const model: AnswerabilityModel = {
    intercept: -1,
    weights: {
      logit: 0.5,
      lead: 0,
      cosine: 2,
      cosineLead: 0,
      coverage: 1,
      lexical: 0.1,
      lexicalPerTerm: 0,
      identifiers: 0.25,
    },
    threshold: 0.4,
  };
  const signals = {
    logit: 2,
    lead: 9,
    cosine: 0.25,
    cosineLead: 9,
    coverage: 0.5,
    lexical: 5,
    lexicalPerTerm: 9,
    identifiers: 2,
  };
  const judged = judgeAnswerability(model, signals);
  expect(judged.probability).toBeCloseTo(1 / (1 + Math.exp(-2)), 12);
  expect(judged).toMatchObject({ threshold: 0.4, signals });
});
