import { describe, expect, it } from 'vitest';
import type { AnswerFrame, FrameBody, Source } from '../../src/frames.js';
import {
  citedSources,
  EMPTY_ANSWER,
  isRunning,
  toPlainText,
  withFrame,
} from '../../src/page/answer-state.js';

const source = (n: number, title: string): Source => ({
  n,
  passageId: `passage-${n}`,
  documentId: `en/${n}.md`,
  title,
  headings: ['Section'],
  text: 'text',
  scores: { fused: { score: 0.03, rank: n } },
});

const BODIES: FrameBody[] = [
  {
    type: 'answer-started',
    question: { text: 'And it?', standalone: 'And the kettle?', language: 'en' },
    knowledgeBase: 'shop',
    mode: 'model',
  },
  { type: 'sources-found', sources: [source(1, 'Returns'), source(2, 'Shipping'), source(3, 'Gifts')] },
  { type: 'text-delta', text: 'Thirty days. ' },
  { type: 'citation-added', n: 3, passageId: 'passage-3', span: [0, 12], quote: 'thirty' },
  { type: 'grounding-checked', span: [0, 12], verdict: 'weak', score: 0.4, citations: [3], reasons: [] },
  { type: 'text-delta', text: 'Free.' },
  { type: 'citation-added', n: 1, passageId: 'passage-1', span: [13, 18], quote: 'free' },
  {
    type: 'answer-completed',
    status: 'answered',
    text: 'Thirty days. Free.',
    citations: [
      { n: 1, passageId: 'passage-1', span: [13, 18], quote: 'free' },
      { n: 3, passageId: 'passage-3', span: [0, 12], quote: 'thirty' },
    ],
    timings: { total: 12 },
    degraded: [],
  },
];

const numbered = (bodies: readonly FrameBody[]): AnswerFrame[] =>
  bodies.map((body, seq) => ({ conversationId: 'c', messageId: 'm', seq, ...body }));
const stateAfter = (frames: readonly AnswerFrame[]) => frames.reduce(withFrame, EMPTY_ANSWER);

describe('the state of an answer', () => {
  it('goes from sent to searching, writing and answered', () => {
    const frames = numbered(BODIES);
    const phases = [0, 1, 2, 3, frames.length].map((count) => stateAfter(frames.slice(0, count)).phase);
    expect(phases).toEqual(['asked', 'searching', 'writing', 'writing', 'answered']);
    expect(isRunning(stateAfter(frames.slice(0, 7)))).toBe(true);
    expect(isRunning(stateAfter(frames))).toBe(false);
  });

  it('is the same however often a frame comes', () => {
    const frames = numbered(BODIES);
    const twice = frames.flatMap((frame, index) => [frame, ...frames.slice(0, index + 1)]);
    expect(stateAfter(twice)).toEqual(stateAfter(frames));
    expect(stateAfter(frames).text).toBe('Thirty days. Free.');
  });

  it('orders citations by where they end, and names the cited sources only', () => {
    const answer = stateAfter(numbered(BODIES));
    expect(answer.citations.map(({ n }) => n)).toEqual([3, 1]);
    expect(citedSources(answer).map(({ title }) => title)).toEqual(['Returns', 'Gifts']);
  });

  it('takes verdicts that were stored before they had reasons', () => {
    const [stored] = numbered([
      { type: 'grounding-checked', span: [0, 4], verdict: 'weak', score: 0.4, citations: [1], reasons: [] },
    ]).map(({ ...frame }) => {
      delete (frame as { reasons?: unknown }).reasons;
      return frame;
    });
    expect(stateAfter([stored as AnswerFrame]).verdicts).toMatchObject([{ verdict: 'weak', reasons: [] }]);
  });

  it('tells a stopped answer from a failed one and keeps what was written', () => {
    const failedWith = (code: 'stopped' | 'model-failed') =>
      stateAfter(
        numbered([
          ...BODIES.slice(0, 3),
          { type: 'answer-failed', error: { code, message: 'x', retryable: true } },
        ]),
      );
    expect(failedWith('stopped')).toMatchObject({ phase: 'stopped', text: 'Thirty days. ' });
    expect(failedWith('model-failed')).toMatchObject({ phase: 'failed', error: { code: 'model-failed' } });
  });

  it('becomes text with numbered citations and its sources, for pasting elsewhere', () => {
    expect(toPlainText(stateAfter(numbered(BODIES)))).toBe(
      'Thirty days.[3] Free.[1]\n\n[1] Returns › Section\n[3] Gifts › Section',
    );
    expect(toPlainText({ ...EMPTY_ANSWER, text: 'Nothing cited.' })).toBe('Nothing cited.');
  });
});
