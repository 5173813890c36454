import { describe, expect, it } from 'vitest';
import { explainRelevance } from '../../src/rerank/explain-relevance.js';
import type { Reranker } from '../../src/rerank/reranker.js';
import type { Passage } from '../../src/types.js';
import { passageOf } from '../support/passages.js';

const { signal } = new AbortController();

/** Likes texts that have the wanted words, one point each. */
function wanting(...wanted: string[]): Reranker & { asked: number } {
  return {
    model: 'wanting',
    threshold: 0.5,
    asked: 0,
    async score(_question, texts) {
      this.asked += texts.length;
      return texts.map((text) => {
        const logit = wanted.filter((word) => text.includes(word)).length;
        return { logit, sigmoid: 1 / (1 + Math.exp(-logit)), windows: 1, truncated: false };
      });
    },
  };
}

async function effects(passage: Passage, reranker: Reranker): Promise<Record<string, number>> {
  const { pieces } = await explainRelevance({ question: 'q', passage }, { reranker, signal });
  return Object.fromEntries(
    pieces
      .filter(({ effect }) => effect !== 0)
      .map(({ span, effect }) => [passage.text.slice(...span), effect]),
  );
}

describe('explainRelevance', () => {
  it('finds the words that the score came from', async () => {
    const passage = passageOf('shop', { text: 'You have 30 days to return an item.', language: 'en' });
    expect(await effects(passage, wanting('30', 'return'))).toEqual({ 30: 1, return: 1 });
  });

  it('cuts Chinese into words', async () => {
    const passage = passageOf('shop', { text: '收到商品后30天内可以退货。', language: 'zh' });
    expect(await effects(passage, wanting('商品'))).toEqual({ 商品: 1 });
  });

  it('asks for a bounded number of scores, however long the passage is', async () => {
    const text = Array.from({ length: 500 }, (_, index) => `word${index}`).join(' ');
    const reranker = wanting('word250 ');
    const found = await effects(passageOf('shop', { text, language: 'en' }), reranker);
    expect(reranker.asked).toBeLessThanOrEqual(33);
    expect(Object.keys(found)).toEqual([expect.stringContaining('word250 ')]);
  });
});
