import { type AnswerState, citedSources } from './answer-state.js';
import { element } from './dom.js';
import { languageOf } from './language.js';
import type { Texts } from './texts.js';

/** The cited sources under an answer; each opens at its first citation. `withScores`: with the reranker's sigmoid. */
export function sourcesView(
  answer: AnswerState,
  {
    texts,
    openCitation,
    withScores = false,
  }: { texts: Texts; openCitation: (index: number) => void; withScores?: boolean },
): HTMLElement | null {
  const cited = citedSources(answer);
  if (cited.length === 0) return null;
  const items = cited.map((source) => {
    const first = answer.citations.findIndex(({ n }) => n === source.n);
    const place = source.headings.at(-1);
    const relevance = withScores ? source.scores.rerank?.sigmoid : undefined;
    return element(
      'li',
      {},
      element(
        'button',
        {
          type: 'button',
          class: 'source',
          lang: languageOf(source.title),
          onclick: () => openCitation(first),
        },
        element('span', { class: 'source-number' }, String(source.n)),
        element(
          'span',
          { class: 'source-name' },
          element('span', { class: 'source-title' }, source.title),
          place !== undefined && element('span', { class: 'source-place' }, place),
        ),
        relevance !== undefined &&
          element('span', { class: 'source-score number', title: texts.relevance }, relevance.toFixed(2)),
      ),
    );
  });
  return element(
    'section',
    { class: 'sources', 'aria-label': texts.sources },
    element('h3', { class: 'small-title' }, texts.sources),
    element('ol', {}, ...items),
  );
}
