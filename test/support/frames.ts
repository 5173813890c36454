import type { AnswerFrame, FrameBody, NoAnswerReason } from '../../src/frames.js';
import type { Trace } from '../../src/store/trace-store.js';

/** Numbers frame bodies from `firstSeq` on, as frames of one message. */
export function framesOf(
  conversationId: string,
  messageId: string,
  bodies: readonly FrameBody[],
  firstSeq = 0,
): AnswerFrame[] {
  return bodies.map((body, index) => ({ conversationId, messageId, seq: firstSeq + index, ...body }));
}

export function startedBody(standalone: string, knowledgeBase = 'shop'): FrameBody {
  const question = { text: standalone, standalone, language: 'en' as const };
  return { type: 'answer-started', question, knowledgeBase, mode: 'extractive' };
}

export function completedBody(
  text: string,
  status: 'answered' | 'no-answer' = 'answered',
  reason?: NoAnswerReason,
): FrameBody {
  const why = reason === undefined ? {} : { reason };
  return {
    type: 'answer-completed',
    status,
    ...why,
    text,
    citations: [],
    timings: { total: 1 },
    degraded: [],
  };
}

export function traceOf(messageId: string, conversationId = 'c1'): Trace {
  return {
    messageId,
    conversationId,
    knowledgeBase: 'shop',
    question: { text: 'q', standalone: 'q', language: 'en' },
    understanding: [],
    mode: 'extractive',
    candidates: [],
    threshold: null,
    status: 'answered',
    timings: { total: 3 },
    degraded: [],
    embedder: null,
    reranker: null,
    device: null,
    at: '2026-11-21T00:00:00.000Z',
  };
}
