import type { Embedder } from '../retrieve/embedder.js';
import type { RetrieverOptions } from '../retrieve/hybrid-retriever.js';
import { inSpan, type Tracer } from './tracer.js';

type Parts = Pick<RetrieverOptions, 'index' | 'embedderOf'>;

/**
 * What a retriever is made of, with a span for the vector of the question and one for the search. Both branches go in
 * one round trip: the span says what each of them found.
 */
export function traceRetrieval({ index, embedderOf }: Parts, tracer: Tracer): Parts {
  return {
    embedderOf: async (made) => {
      const embedder = await embedderOf(made);
      return embedder === null ? null : traceEmbedder(embedder, tracer);
    },
    index: {
      searchedWith: () => index.searchedWith(),
      search(query, options) {
        const span = tracer.start('search', {
          'askbase.lexical.terms': query.lexical.size,
          'askbase.dense.asked': query.dense !== null,
        });
        return inSpan(span, async () => {
          const hits = await index.search(query, options);
          span.set({ 'askbase.lexical.hits': hits.lexical.length, 'askbase.dense.hits': hits.dense.length });
          return hits;
        });
      },
    },
  };
}

function traceEmbedder(embedder: Embedder, tracer: Tracer): Embedder {
  const { model, dimensions } = embedder;
  return {
    model,
    dimensions,
    embed: (texts, options) =>
      inSpan(tracer.start('embed', { 'askbase.model': model }), () => embedder.embed(texts, options)),
  };
}
