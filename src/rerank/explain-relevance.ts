import { passageSearchText } from '../passage-text.js';
import type { Passage, RelevanceExplanation } from '../types.js';
import type { Reranker } from './reranker.js';

/** So many texts are scored at most, beside the whole one: one call of a reranker. */
const MOST_PIECES = 32;

/**
 * Which words of a passage drove the reranker's score, by occlusion (Zeiler and Fergus 2014): the passage is scored
 * again without each stretch of it. Stretches are words; of a long passage, runs of words. Throws what `score` throws.
 */
export async function explainRelevance(
  { question, passage }: { question: string; passage: Passage },
  { reranker, signal }: { reranker: Reranker; signal: AbortSignal },
): Promise<RelevanceExplanation> {
  const spans = cutIntoRuns(passage.text, passage.language);
  const without = spans.map(([start, end]) => ({
    ...passage,
    text: passage.text.slice(0, start) + passage.text.slice(end),
  }));
  const [whole, ...scores] = await reranker.score(question, [passage, ...without].map(passageSearchText), {
    signal,
  });
  const logit = whole?.logit ?? 0;
  return {
    model: reranker.model,
    logit,
    pieces: spans.map((span, place) => ({ span, effect: logit - (scores[place]?.logit ?? logit) })),
  };
}

function cutIntoRuns(text: string, language: Passage['language']): [number, number][] {
  const words = [...new Intl.Segmenter(language, { granularity: 'word' }).segment(text)]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ index, segment }): [number, number] => [index, index + segment.length]);
  const size = Math.max(1, Math.ceil(words.length / MOST_PIECES));
  return Array.from({ length: Math.ceil(words.length / size) }, (_, run): [number, number] => {
    const first = words[run * size];
    const last = words[Math.min(words.length, (run + 1) * size) - 1];
    return [first?.[0] ?? 0, last?.[1] ?? 0];
  });
}
