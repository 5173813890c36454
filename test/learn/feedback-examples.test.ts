import { describe, expect, it } from 'vitest';
import type { AnswerFrame } from '../../src/frames.js';
import { collectExamples } from '../../src/learn/feedback-examples.js';
import { toBeirFiles, toTriples } from '../../src/learn/write-examples.js';
import type { Feedback } from '../../src/store/feedback-store.js';
import type { Trace } from '../../src/store/trace-store.js';
import type { Decision, Passage } from '../../src/types.js';
import { passageOf } from '../support/passages.js';

const samplePassage = (id: string, text: string): Passage => passageOf('shop', { id, text });

interface Answered {
  question: string;
  knowledgeBase?: string;
  /** Passage id → what became of it, in order. */
  candidates: Record<string, Decision>;
  cited?: string[];
  verdict: 'up' | 'down';
  passageIds?: string[];
  traceIsGone?: boolean;
}

function sourceOf(answers: readonly Answered[]) {
  const traces = new Map<string, Trace>();
  const frames = new Map<string, AnswerFrame[]>();
  const verdicts = answers.map((answer, index): Feedback => {
    const messageId = `m${index}`;
    const { question, knowledgeBase = 'shop', candidates, cited = [], verdict, passageIds = [] } = answer;
    const trace = {
      messageId,
      knowledgeBase,
      question: { text: 'short', standalone: question, language: 'en' },
      candidates: Object.entries(candidates).map(([id, decision]) => ({
        passage: samplePassage(id, `Text of ${id}.`),
        scores: { fused: { score: 0, rank: 1 } },
        decision,
      })),
    } as unknown as Trace;
    if (answer.traceIsGone !== true) traces.set(messageId, trace);
    const citations = cited.map((passageId) => ({ n: 1, passageId, span: [0, 1], quote: '' }));
    frames.set(messageId, [{ type: 'answer-completed', citations } as unknown as AnswerFrame]);
    return { messageId, verdict, passageIds, at: '2026-11-26T00:00:00.000Z' };
  });
  return {
    feedback: {
      async *readAllFeedback() {
        yield* verdicts;
      },
    },
    traces: { readTrace: async (messageId: string) => traces.get(messageId) },
    conversations: { readFrames: async (messageId: string) => frames.get(messageId) },
  };
}

const idsOf = (passages: readonly { id: string }[]): string[] => passages.map(({ id }) => id);

async function collect(answers: readonly Answered[], options: { knowledgeBase?: string } = {}) {
  const { examples, counts } = await collectExamples(sourceOf(answers), options);
  const shown = examples.map(({ question, relevant, irrelevant }) => ({
    question,
    relevant: idsOf(relevant),
    irrelevant: idsOf(irrelevant),
  }));
  return { examples, shown, counts };
}

describe('verdicts become examples', () => {
  it('a thumbs-up stands for what was cited, against what was not relevant enough', async () => {
    const { shown } = await collect([
      {
        question: 'How long?',
        candidates: { a: 'kept', b: 'kept', c: 'below-threshold', d: 'duplicate', e: 'below-threshold' },
        cited: ['a', 'a'],
        verdict: 'up',
      },
    ]);
    expect(shown).toEqual([{ question: 'How long?', relevant: ['a'], irrelevant: ['c', 'e'] }]);
  });

  it('named passages count instead, for and against', async () => {
    const candidates = { a: 'kept', b: 'kept' } as const;
    const { shown } = await collect([
      { question: 'How long?', candidates, cited: ['a'], verdict: 'up', passageIds: ['b'] },
      { question: 'how  long', candidates, cited: ['a'], verdict: 'down', passageIds: ['a'] },
    ]);
    expect(shown).toEqual([{ question: 'How long?', relevant: ['b'], irrelevant: ['a'] }]);
  });

  it('counts what says nothing, and what people do not agree on', async () => {
    const candidates = { a: 'kept', b: 'kept' } as const;
    const { shown, counts } = await collect([
      { question: 'One?', candidates, cited: ['a'], verdict: 'down' },
      { question: 'Two?', candidates, cited: [], verdict: 'up' },
      { question: 'Three?', candidates, cited: ['a'], verdict: 'up', traceIsGone: true },
      { question: 'Four?', candidates, cited: ['a'], verdict: 'up' },
      { question: 'Four?', candidates, verdict: 'down', passageIds: ['a'] },
      { question: 'Five?', candidates, verdict: 'down', passageIds: ['b'] },
    ]);
    expect(shown).toEqual([]);
    expect(counts).toEqual({
      verdicts: 6,
      withoutTrace: 1,
      aboutNoPassage: 2,
      contested: 1,
      withoutRelevant: 2,
    });
  });

  it('keeps knowledge bases apart', async () => {
    const answer = { question: 'How long?', candidates: { a: 'kept' }, cited: ['a'], verdict: 'up' } as const;
    const answers = [answer, { ...answer, knowledgeBase: 'health' }].map((one) => ({ ...one, cited: ['a'] }));
    expect((await collect(answers)).shown).toHaveLength(2);
    const { examples, counts } = await collect(answers, { knowledgeBase: 'health' });
    expect(examples.map(({ knowledgeBase }) => knowledgeBase)).toEqual(['health']);
    expect(counts.verdicts).toBe(1);
  });

  it('takes personal data out of questions', async () => {
    const { shown } = await collect([
      { question: 'Is ann@example.org right?', candidates: { a: 'kept' }, cited: ['a'], verdict: 'up' },
    ]);
    expect(shown[0]?.question).toBe('Is [e-mail] right?');
  });
});

describe('examples are written', () => {
  const examples = [
    {
      knowledgeBase: 'shop',
      question: 'How long?',
      relevant: [samplePassage('a', 'You have 30 days.'), samplePassage('b', 'Thirty days.')],
      irrelevant: [samplePassage('c', 'Parcels leave at noon.')],
    },
  ];

  it('as triples, one for each relevant passage, as the reranker reads them', () => {
    const lines = [...toTriples(examples)].map((line) => JSON.parse(line));
    expect(lines).toHaveLength(2);
    expect(lines[1]).toEqual({
      query: 'How long?',
      positive: expect.stringMatching(/\nThirty days\.$/),
      negatives: [expect.stringMatching(/\nParcels leave at noon\.$/)],
      source: 'shop',
      group: examples[0]?.relevant[1]?.documentId,
    });
  });

  it('as a labelled set, a passage once however often it is judged', () => {
    const files = toBeirFiles([
      ...examples,
      { ...examples[0], question: 'And now?' } as (typeof examples)[0],
    ]);
    const rows = (name: string): string[] => (files[name] ?? '').trim().split('\n');
    expect(rows('corpus.jsonl').map((row) => JSON.parse(row)._id)).toEqual(['a', 'b', 'c']);
    const queries = rows('queries.jsonl').map((row) => JSON.parse(row));
    expect(queries.map(({ text }) => text)).toEqual(['How long?', 'And now?']);
    const first = queries[0]?._id;
    expect(rows('qrels.tsv').slice(0, 4)).toEqual([
      'query-id\tcorpus-id\tscore',
      `${first}\ta\t1`,
      `${first}\tb\t1`,
      `${first}\tc\t0`,
    ]);
  });
});
