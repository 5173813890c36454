import { describe, expect, test, vi } from 'vitest';
import { AppError } from '../../src/errors.js';
import { createCandidateReranker } from '../../src/rerank/candidate-reranker.js';
import type { Reranker } from '../../src/rerank/reranker.js';
import { createAnalyzer } from '../../src/retrieve/analyzer.js';
import type { Candidate } from '../../src/types.js';
import { passageOf } from '../support/passages.js';
import { sampleKnowledgeBase } from '../support/sample-knowledge-base.js';
import { silentLogger } from '../support/silent-logger.js';

const question = {
  text: 'And for shoes?',
  standalone: 'How long may shoes be returned?',
  language: 'en',
} as const;
const { signal } = new AbortController();
const analyzer = createAnalyzer();

function candidates(): Candidate[] {
  return ['invoices come by mail', 'shoes within 30 days', 'parcels take a week'].map((text, index) => ({
    passage: passageOf('shop', { text, documentId: `en/${index}.md`, headings: ['Rules'] }),
    scores: { fused: { score: 1 / (index + 1), rank: index + 1 }, lexical: { score: 3, rank: index + 1 } },
  }));
}

/** Gives these logits in input order. */
function rerankerOf(logits: number[], threshold = 0.5): Reranker {
  return {
    model: 'fake',
    threshold,
    score: async () =>
      logits.map((logit) => ({ logit, sigmoid: 1 / (1 + Math.exp(-logit)), windows: 1, truncated: false })),
  };
}

describe('candidates are reranked', () => {
  test('by the standalone question and the passage with its title and headings', async () => {
    const reranker = rerankerOf([-3, 2, -1]);
    const score = vi.spyOn(reranker, 'score');
    const rerank = createCandidateReranker({ analyzer, reranker, logger: silentLogger });
    const result = await rerank(question, candidates(), { knowledgeBase: sampleKnowledgeBase(), signal });
    expect(score.mock.calls[0]?.[0]).toBe(question.standalone);
    expect(score.mock.calls[0]?.[1][1]).toBe('Returns › Rules\nshoes within 30 days');
    expect(result).toMatchObject({ threshold: 0.5, degraded: [] });
    expect(result.candidates.map(({ passage, decision }) => [passage.text, decision])).toEqual([
      ['shoes within 30 days', 'kept'],
      ['parcels take a week', 'below-threshold'],
      ['invoices come by mail', 'below-threshold'],
    ]);
    expect(result.candidates.map(({ scores }) => scores.rerank?.rank)).toEqual([1, 2, 3]);
    expect(result.candidates[0]?.scores).toMatchObject({ lexical: { rank: 2 }, rerank: { logit: 2 } });
  });

  test("with the knowledge base's threshold before the model's", async () => {
    const rerank = createCandidateReranker({
      analyzer,
      reranker: rerankerOf([-3, 2, -1], 0.9),
      logger: silentLogger,
    });
    const strict = await rerank(question, candidates(), { knowledgeBase: sampleKnowledgeBase(), signal });
    const knowledgeBase = sampleKnowledgeBase({ threshold: 0.2 });
    const lenient = await rerank(question, candidates(), { knowledgeBase, signal });
    const kept = ({ candidates: judged }: typeof strict): number =>
      judged.filter(({ decision }) => decision === 'kept').length;
    expect([strict.threshold, kept(strict)]).toEqual([0.9, 0]);
    expect([lenient.threshold, kept(lenient)]).toEqual([0.2, 2]);
  });

  test('with the threshold of the language the question is in', async () => {
    const reranker = { ...rerankerOf([-3, 2, -1]), threshold: { en: 0.95, zh: 0.2 } };
    const rerank = createCandidateReranker({ analyzer, reranker, logger: silentLogger });
    const thresholdOf = async (language: 'en' | 'zh', knowledgeBase = sampleKnowledgeBase()) =>
      (await rerank({ ...question, language }, candidates(), { knowledgeBase, signal })).threshold;
    expect([await thresholdOf('en'), await thresholdOf('zh')]).toEqual([0.95, 0.2]);
    const ofBoth = sampleKnowledgeBase({ threshold: { zh: 0.7 } });
    expect([await thresholdOf('en', ofBoth), await thresholdOf('zh', ofBoth)]).toEqual([0.95, 0.7]);
  });

  test('in an order to which words add what the model has them weigh, while the cut stays with the sigmoid', async () => {
    const [first, second, third] = candidates() as [Candidate, Candidate, Candidate];
    const found = [
      { ...first, scores: { ...first.scores, lexical: { score: 9, rank: 1 } } },
      { ...second, scores: { ...second.scores, lexical: { score: 4, rank: 2 } } },
      { ...third, scores: { fused: third.scores.fused } },
    ];
    const rerank = createCandidateReranker({
      analyzer,
      reranker: { ...rerankerOf([-1, 1, 1.5]), lexicalWeight: { en: 0.5 } },
      logger: silentLogger,
    });
    const run = (language: 'en' | 'zh') =>
      rerank({ ...question, language }, found, { knowledgeBase: sampleKnowledgeBase(), signal });
    const seen = async (language: 'en' | 'zh') =>
      (await run(language)).candidates.map(({ passage, scores: { rerank: score }, decision }) => [
        passage.documentId,
        score?.order,
        score?.rank,
        decision,
      ]);
    // The last was not found by words: it counts as the weakest that was.
    expect(await seen('en')).toEqual([
      ['en/0.md', 3.5, 1, 'below-threshold'],
      ['en/2.md', 3.5, 2, 'kept'],
      ['en/1.md', 3, 3, 'kept'],
    ]);
    expect((await seen('zh')).map(([id]) => id)).toEqual(['en/2.md', 'en/1.md', 'en/0.md']);
  });

  test('and say how likely an answer is, where the reranker comes with a model for it', async () => {
    const weights = {
      logit: 1,
      lead: 0,
      cosine: 0,
      cosineLead: 0,
      coverage: 0,
      lexical: 0,
      lexicalPerTerm: 0,
      identifiers: 0,
    };
    const answerability = { en: { intercept: -2, weights, threshold: 0.6 } };
    const reranker = { ...rerankerOf([-3, 2, -1]), answerability };
    const rerank = createCandidateReranker({ analyzer, reranker, logger: silentLogger });
    const judge = async (language: 'en' | 'zh', knowledgeBase = sampleKnowledgeBase()) =>
      (await rerank({ ...question, language }, candidates(), { knowledgeBase, signal })).answerability;
    expect(await judge('en')).toMatchObject({
      probability: 0.5,
      threshold: 0.6,
      signals: { logit: 2, lead: 3 },
    });
    expect(await judge('en', sampleKnowledgeBase({ answerability: 0 }))).toMatchObject({ threshold: 0 });
    expect(await judge('zh')).toBeUndefined();
  });
});

describe('the fused order stands, without a threshold and marked as degraded', () => {
  const failing = (error: unknown): Reranker => ({ ...rerankerOf([]), score: () => Promise.reject(error) });

  test.each([
    ['no reranker is installed', null],
    ['the reranker is down', failing(new AppError('unavailable'))],
    ['the reranker is overloaded', failing(new AppError('overloaded'))],
    ['the reranker breaks', failing(new Error('broken'))],
  ])('where %s', async (_, reranker) => {
    const rerank = createCandidateReranker({ analyzer, reranker, logger: silentLogger });
    const result = await rerank(question, candidates(), { knowledgeBase: sampleKnowledgeBase(), signal });
    expect(result).toMatchObject({ threshold: null, degraded: ['rerank'] });
    expect(
      result.candidates.map(({ scores, decision }) => [scores.fused.rank, decision, scores.rerank]),
    ).toEqual([
      [1, 'kept', undefined],
      [2, 'kept', undefined],
      [3, 'kept', undefined],
    ]);
  });

  test('where the reranker takes too long', async () => {
    const hanging: Reranker = {
      ...rerankerOf([]),
      score: (_question, _texts, options) =>
        new Promise((_, reject) => {
          options.signal.addEventListener('abort', () => reject(options.signal.reason));
        }),
    };
    const rerank = createCandidateReranker({
      analyzer,
      reranker: hanging,
      logger: silentLogger,
      timeoutMs: 1,
    });
    const result = await rerank(question, candidates(), { knowledgeBase: sampleKnowledgeBase(), signal });
    expect(result.degraded).toEqual(['rerank']);
  });
});

test('a stopped question is stopped, not degraded', async () => {
  const controller = new AbortController();
  const reranker: Reranker = {
    ...rerankerOf([]),
    score: () => {
      controller.abort();
      return Promise.reject(new AppError('stopped'));
    },
  };
  const rerank = createCandidateReranker({ analyzer, reranker, logger: silentLogger });
  await expect(
    rerank(question, candidates(), { knowledgeBase: sampleKnowledgeBase(), signal: controller.signal }),
  ).rejects.toMatchObject({ code: 'stopped' });
});

test('no candidates need no reranker', async () => {
  const rerank = createCandidateReranker({ analyzer, reranker: rerankerOf([]), logger: silentLogger });
  expect(await rerank(question, [], { knowledgeBase: sampleKnowledgeBase(), signal })).toEqual({
    candidates: [],
    threshold: 0.5,
    degraded: [],
  });
});
