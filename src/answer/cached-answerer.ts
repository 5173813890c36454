import { findPersonalData } from '../personal-data.js';
import type { AnswerCache } from './answer-cache.js';
import type { AnswerEvent, Answerer, AnswerRequest } from './answerer.js';

/** The same answerer, asked only where the cache knows no answer. */
export function createCachedAnswerer(answerer: Answerer, cache: AnswerCache): Answerer {
  return {
    mode: answerer.mode,
    seesImages: answerer.seesImages,
    async *answer(request: AnswerRequest, { signal }): AsyncGenerator<AnswerEvent> {
      // What somebody says of themselves must not come back to the next one who asks nearly the same.
      if (findPersonalData(request.question.text).length > 0) {
        yield* answerer.answer(request, { signal });
        return;
      }
      const cached = request.isRegenerated === true ? null : await cache.find(request, { signal });
      if (cached !== null) {
        yield { type: 'cached', hit: cached.hit };
        yield { type: 'text', text: cached.text };
        return;
      }
      let text = '';
      let isWhole = true;
      for await (const event of answerer.answer(request, { signal })) {
        if (event.type === 'text') text += event.text;
        if (event.type === 'cut-off') isWhole = false;
        yield event;
      }
      // An answer that failed or was stopped is never got to the end.
      if (isWhole) await cache.keep(request, text, { signal });
    },
  };
}
