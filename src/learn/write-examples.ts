import { createHash } from 'node:crypto';
import { passageSearchText } from '../passage-text.js';
import type { FeedbackExample } from './feedback-examples.js';

/** What `training/` reads, a line each: the texts as the reranker sees them. */
export function* toTriples(examples: readonly FeedbackExample[]): Generator<string> {
  for (const { knowledgeBase, question, relevant, irrelevant } of examples) {
    const negatives = irrelevant.map(passageSearchText);
    for (const passage of relevant) {
      const positive = passageSearchText(passage);
      // Groups of one document are never split between training and validation.
      const group = passage.documentId;
      yield `${JSON.stringify({ query: question, positive, negatives, source: knowledgeBase, group })}\n`;
    }
  }
}

/** A labelled collection in the layout of the BEIR benchmark, by file name. */
export function toBeirFiles(examples: readonly FeedbackExample[]): Record<string, string> {
  const documents = new Map<string, object>();
  const queries: object[] = [];
  const judgements = ['query-id\tcorpus-id\tscore'];
  for (const { knowledgeBase, question, relevant, irrelevant } of examples) {
    const queryId = createHash('sha256').update(`${knowledgeBase}\0${question}`).digest('hex').slice(0, 16);
    queries.push({ _id: queryId, text: question });
    for (const [passages, score] of [
      [relevant, 1],
      [irrelevant, 0],
    ] as const) {
      for (const { id, title, headings, text } of passages) {
        documents.set(id, { _id: id, title: [title, ...headings].join(' › '), text });
        judgements.push(`${queryId}\t${id}\t${score}`);
      }
    }
  }
  const lines = (rows: Iterable<object>): string =>
    [...rows].map((row) => `${JSON.stringify(row)}\n`).join('');
  return {
    'corpus.jsonl': lines(documents.values()),
    'queries.jsonl': lines(queries),
    'qrels.tsv': `${judgements.join('\n')}\n`,
  };
}
