import type { FrameBody } from '../frames.js';
import type { Ask } from '../pipeline.js';
import { currentRequestId } from './request-context.js';
import { iterateInSpan, type Span, type Tracer } from './tracer.js';

type Pipeline = (ask: Ask, options: { signal: AbortSignal }) => AsyncIterable<FrameBody>;

/** The same pipeline, each answer a span that those of its steps belong to. */
export function tracePipeline(pipeline: Pipeline, tracer: Tracer): Pipeline {
  return async function* (ask, options) {
    const span = tracer.start('answer', {
      'askbase.request.id': currentRequestId() ?? 'none',
      'askbase.conversation.id': ask.conversationId,
      'askbase.message.id': ask.messageId,
      'askbase.knowledge_base': ask.knowledgeBase.id,
    });
    for await (const body of iterateInSpan(span, () => pipeline(ask, options))) {
      if (body.type === 'answer-completed') setEnd(span, body);
      yield body;
    }
  };
}

function setEnd(span: Span, { status, reason, degraded }: Extract<FrameBody, { type: 'answer-completed' }>) {
  span.set({
    'askbase.status': status,
    ...(reason === undefined ? {} : { 'askbase.reason': reason }),
    ...(degraded.length === 0 ? {} : { 'askbase.degraded': degraded.join(',') }),
  });
}
