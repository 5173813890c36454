import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sigmoid } from '../../src/inference/sigmoid.js';
import type { BeirDataset } from '../../src/learn/beir-dataset.js';
import { evaluateRetrieval } from '../../src/learn/evaluate-retrieval.js';
import { evaluationReport } from '../../src/learn/evaluation-report.js';
import { indexDataset } from '../../src/learn/index-dataset.js';
import { createAnalyzer } from '../../src/retrieve/analyzer.js';
import { createSqlitePassageIndex } from '../../src/retrieve/sqlite-passage-index.js';

const DATASET: BeirDataset = {
  documents: [
    { id: 'tea', title: 'Tea', text: 'Green tea is steeped at eighty degrees for two minutes.' },
    { id: 'coffee', title: 'Coffee', text: 'Coffee is brewed at ninety degrees. Coffee needs four minutes.' },
    { id: 'water', title: '<Water>', text: 'Water boils at one hundred degrees.' },
  ],
  queries: [
    { id: 'q1', text: 'how hot is green tea' },
    { id: 'q2', text: 'coffee minutes' },
  ],
  judgements: new Map([
    ['q1', new Map([['tea', 1]])],
    ['q2', new Map([['coffee', 1]])],
  ]),
};

describe('evaluateRetrieval', () => {
  it('measures each stage through the real index, and shows where the reranker went wrong', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'askbase-eval-'));
    const index = await createSqlitePassageIndex({ file: join(dir, 'index.db') });
    const analyzer = createAnalyzer();
    const signal = new AbortController().signal;
    /** Likes water above all. */
    const reranker = {
      model: 'wrong',
      threshold: 0.5,
      score: async (_question: string, texts: readonly string[]) =>
        texts.map((text) => {
          const logit = text.includes('Water') ? 3 : -3;
          return { logit, sigmoid: sigmoid(logit), windows: 1, truncated: false };
        }),
    };
    try {
      const parts = { index, embedder: null, reranker, analyzer, knowledgeBase: 'eval', signal };
      await index.prepare({ embedder: 'none', dimensions: 0, analyzer: analyzer.version });
      const passages = await indexDataset(DATASET.documents, parts);
      expect(passages).toBe(3);
      const evaluation = await evaluateRetrieval(DATASET, { ...parts, passages });
      expect(Object.keys(evaluation.stages)).toEqual(['lexical', 'fused', 'reranked']);
      expect(evaluation.stages.lexical?.['ndcg@10'].mean).toBe(1);
      const wrong = evaluation.questions.filter(({ best }) => best?.documentId === 'water');
      for (const { metrics } of wrong) expect(metrics.reranked?.['hit@1']).toBe(0);
      expect(evaluation.questions.flatMap(({ scores }) => scores).some(({ relevant }) => relevant)).toBe(
        true,
      );

      const report = evaluationReport('cups & <pots>', evaluation);
      expect(report).toContain('cups &#38; &#60;pots&#62;');
      expect(report).toContain('how hot is green tea');
      expect(report).toContain('Right: <b>tea</b> Green tea is steeped');
      expect(report).not.toContain('<pots>');
    } finally {
      await index.close();
      rmSync(dir, { recursive: true });
    }
  });
});
