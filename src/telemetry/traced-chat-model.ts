import type { ChatModel } from '../answer/chat-model.js';
import { iterateInSpan, type Span, type Tracer } from './tracer.js';

/** The same model, each request a span with two parts: up to the first text, and from there to the end. */
export function traceChatModel(chatModel: ChatModel, tracer: Tracer): ChatModel {
  return {
    get models() {
      return chatModel.models;
    },
    async *stream(messages, options) {
      const request = tracer.start('model-request', { 'askbase.models': chatModel.models.join(',') });
      const begin = (name: string): Span => request.run(() => tracer.start(name));
      let part = begin('first-token');
      let begun = false;
      let failure: { thrown: unknown } | undefined;
      try {
        for await (const event of iterateInSpan(request, () => chatModel.stream(messages, options))) {
          if (event.type === 'text' && !begun) {
            begun = true;
            part.end();
            part = begin('generation');
          }
          if (event.type === 'usage') {
            part.set({
              'gen_ai.response.model': event.usage.model,
              'gen_ai.usage.input_tokens': event.usage.promptTokens,
              'gen_ai.usage.output_tokens': event.usage.completionTokens,
            });
          }
          yield event;
        }
      } catch (thrown) {
        failure = { thrown };
        throw thrown;
      } finally {
        part.end(failure);
      }
    },
  };
}
