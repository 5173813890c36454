import { AppError } from '../errors.js';
import type { BranchHits } from '../retrieve/passage-index.js';
import type { EvaluateOptions } from './evaluate-retrieval.js';
import { PLAIN_LEXICON } from './index-dataset.js';

export type SearchDatasetOptions = Pick<
  EvaluateOptions,
  'index' | 'embedder' | 'analyzer' | 'knowledgeBase' | 'signal'
> & {
  /** Hits per branch. */
  limit: number;
};

/** Both branches of a labelled collection, as the product searches. Throws `conflict` before the index is prepared. */
export async function searchDataset(
  question: string,
  { index, embedder, analyzer, knowledgeBase, limit, signal }: SearchDatasetOptions,
): Promise<{ terms: string[]; hits: BranchHits }> {
  const [vector = null] = (await embedder?.embed([question], { kind: 'query', signal })) ?? [];
  const lexical = analyzer.weighQuestion(question, PLAIN_LEXICON);
  const madeWith = await index.searchedWith();
  if (madeWith === null) throw new AppError('conflict', 'The index must be prepared before it is searched.');
  const hits = await index.search({ dense: vector, lexical, madeWith }, { knowledgeBase, limit, signal });
  return { terms: [...lexical.keys()], hits };
}
