import type { FrameBody, Source } from '../../src/frames.js';
import type { Trace } from '../../src/store/trace-store.js';
import type { CandidateScores, Decision, JudgedCandidate } from '../../src/types.js';

const text = `You can return most items within **30 days** of delivery.
Gold members have 60 days.

| Item | Days | Return shipping | Packaging that is needed for a refund in full | Notes |
|---|---:|---|---|---|
| Kitchen | 30 | free | original | none |

Opened filters cannot be returned.`;

export const PASSAGE_IDS = [
  '6f2b0cb5-8a6f-5b0f-9a3e-0b8d2f6a1c11',
  '6f2b0cb5-8a6f-5b0f-9a3e-0b8d2f6a1c12',
  '6f2b0cb5-8a6f-5b0f-9a3e-0b8d2f6a1c13',
] as const;

export const SOURCES: Source[] = [
  {
    n: 1,
    passageId: PASSAGE_IDS[0],
    documentId: 'en/returns.md',
    title: 'Returns and refunds',
    headings: ['How long you have'],
    url: 'https://shop.example/returns',
    text,
    scores: scores(1, 3.6),
  },
  {
    n: 2,
    passageId: PASSAGE_IDS[1],
    documentId: 'en/shipping.md',
    title: 'Shipping',
    headings: [],
    text: `${'Parcels leave on the day of the order.\n\n'.repeat(60)}Standard delivery is free from 50 euro.`,
    scores: scores(2, 0.4),
  },
];

function scores(rank: number, logit: number): CandidateScores {
  return {
    lexical: { score: 14.2 / rank, rank },
    dense: { score: 0.83 / rank, rank },
    fused: { score: 0.0325 / rank, rank },
    rerank: { logit, sigmoid: 1 / (1 + Math.exp(-logit)), windows: 1, truncated: false, order: logit, rank },
  };
}

export const started = (question: string, standalone = question): FrameBody => ({
  type: 'answer-started',
  question: { text: question, standalone, language: /\p{Script=Han}/u.test(question) ? 'zh' : 'en' },
  knowledgeBase: 'shop',
  mode: 'model',
});

export const found: FrameBody = { type: 'sources-found', sources: SOURCES };

/** Text and where it is cited: `from` and `to` are positions in the whole answer. */
export const cited = (n: 1 | 2, span: [number, number], quote: string) =>
  ({ n, passageId: PASSAGE_IDS[n - 1] as string, span, quote }) as const;

export function completed(
  whole: string,
  more: Partial<Extract<FrameBody, { type: 'answer-completed' }>> = {},
): FrameBody {
  return {
    type: 'answer-completed',
    status: 'answered',
    text: whole,
    citations: [],
    usage: { model: 'scripted', promptTokens: 1204, completionTokens: 131 },
    timings: { understand: 1, retrieve: 9, rerank: 140, firstToken: 300, answer: 1200, total: 1350 },
    degraded: [],
    ...more,
  };
}

/** A whole answer with two citations, one to each source. */
export const WHOLE_TEXT = 'You have **30 days**. Delivery is free from 50 euro.';
const CITATIONS = [
  cited(1, [0, 21], 'within **30 days** of delivery'),
  cited(2, [22, 52], 'free from 50 euro'),
];

export async function* answer({ text: question }: { text: string }): AsyncGenerator<FrameBody> {
  yield started(question);
  yield found;
  yield { type: 'text-delta', text: WHOLE_TEXT.slice(0, 21) };
  yield { type: 'citation-added', ...(CITATIONS[0] as (typeof CITATIONS)[number]) };
  yield { type: 'text-delta', text: WHOLE_TEXT.slice(21) };
  yield { type: 'citation-added', ...(CITATIONS[1] as (typeof CITATIONS)[number]) };
  yield completed(WHOLE_TEXT, { citations: CITATIONS });
}

/** Three sentences: supported, weak, unsupported; and a stage that was not there. */
export async function* markedAnswer({ text: question }: { text: string }): AsyncGenerator<FrameBody> {
  const text = 'Right. Shaky. Wrong.';
  const check = (span: [number, number], verdict: 'supported' | 'weak' | 'unsupported'): FrameBody => ({
    type: 'grounding-checked',
    span,
    verdict,
    score: 0.5,
    citations: [1],
    reasons: verdict === 'unsupported' ? [{ reason: 'number', words: 'Wrong' }] : [],
  });
  yield started(question);
  yield found;
  yield { type: 'text-delta', text };
  yield check([0, 6], 'supported');
  yield check([7, 13], 'weak');
  yield check([14, 20], 'unsupported');
  yield completed(text, { degraded: ['rerank'] });
}

export const TRACE: Trace = {
  understanding: [],
  messageId: '',
  conversationId: '',
  knowledgeBase: 'shop',
  question: { text: 'q', standalone: 'q', language: 'en' },
  mode: 'model',
  candidates: [
    candidate(0, 'kept', scores(1, 3.6)),
    candidate(1, 'kept', scores(2, 0.4)),
    candidate(2, 'below-threshold', { dense: { score: 0.41, rank: 3 }, fused: { score: 0.0159, rank: 3 } }),
  ],
  threshold: 0.55,
  answerability: {
    probability: 0.87,
    threshold: 0.4,
    signals: {
      logit: 3.6,
      lead: 3.2,
      cosine: 0.83,
      cosineLead: 0.42,
      coverage: 0.9,
      lexical: 14.2,
      lexicalPerTerm: 3.6,
      identifiers: 0,
    },
  },
  status: 'answered',
  timings: { understand: 1, retrieve: 9, rerank: 140, firstToken: 300, answer: 1200, total: 1350 },
  degraded: [],
  embedder: 'tiny-embedder',
  reranker: 'tiny-reranker',
  device: 'cpu',
  usage: { model: 'scripted', promptTokens: 1204, completionTokens: 131 },
  cost: 0.00042,
  cache: { kind: 'meaning', similarity: 0.97, messageId: '' },
  prompt: [
    { role: 'system', content: 'Answer from the passages.' },
    { role: 'user', content: 'How long?' },
  ],
  at: '2026-01-01T00:00:00.000Z',
};

function candidate(index: 0 | 1 | 2, decision: Decision, own: CandidateScores): JudgedCandidate {
  const source = SOURCES[index];
  return {
    decision,
    scores: own,
    passage: {
      id: PASSAGE_IDS[index],
      knowledgeBase: 'shop',
      documentId: source?.documentId ?? 'en/gifts.md',
      title: source?.title ?? 'Gift services',
      headings: source?.headings ?? [],
      text: source?.text ?? 'Gift cards cannot be returned.',
      kind: 'text',
      language: 'en',
      tags: [],
      position: index,
      tokens: 20,
      updatedAt: '2026-01-01T00:00:00.000Z',
    },
  };
}
