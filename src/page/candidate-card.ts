import type { JudgedCandidate } from '../client/protocol.js';
import { element } from './dom.js';
import { languageOf } from './language.js';
import type { Texts } from './texts.js';

/** What became of a candidate; `refused` where it was kept and nothing was answered from it. */
export type Fate = JudgedCandidate['decision'] | 'refused';

interface CandidateOptions {
  fate: Fate;
  /** The cut on the sigmoid; null where no reranker ran. */
  threshold: number | null;
  texts: Texts;
  /** Its number as a source of the answer; absent where it was not used. */
  n?: number | undefined;
  open: () => void;
}

/** One candidate: what it is, what became of it and why, and every score as it was. */
export function candidateCard(candidate: JudgedCandidate, options: CandidateOptions): HTMLElement {
  const { passage } = candidate;
  const { fate } = options;
  const { name, why } = options.texts.decisions[fate] ?? { name: fate, why: '' };
  return element(
    'article',
    { class: `candidate candidate-${fate === 'kept' ? 'kept' : 'dropped'}` },
    element(
      'header',
      {},
      options.n !== undefined && element('span', { class: 'source-number' }, String(options.n)),
      element(
        'button',
        { type: 'button', class: 'candidate-title', lang: languageOf(passage.title), onclick: options.open },
        [passage.title, ...passage.headings].join(' › '),
      ),
      element('span', { class: 'decision' }, name),
    ),
    relevance(candidate, options),
    element('p', { class: 'candidate-why' }, why),
    scores(candidate, options.texts),
  );
}

function relevance(
  { scores: { rerank } }: JudgedCandidate,
  { threshold, texts }: CandidateOptions,
): HTMLElement {
  if (rerank === undefined) return element('p', { class: 'candidate-why' }, texts.scores.notRun);
  const value = rerank.sigmoid.toFixed(3);
  const fill = element('span', { class: 'bar-fill' });
  fill.style.inlineSize = `${rerank.sigmoid * 100}%`;
  const mark = element('span', { class: 'bar-threshold' });
  mark.style.insetInlineStart = `${(threshold ?? 0) * 100}%`;
  const label = texts.sigmoidLabel(value, threshold?.toFixed(2) ?? texts.none);
  return element(
    'div',
    { class: 'relevance' },
    element(
      'div',
      { class: 'bar', role: 'img', 'aria-label': label, title: label },
      fill,
      threshold !== null && mark,
    ),
    element('span', { class: 'number' }, value),
  );
}

function scores({ scores: { lexical, dense, fused, rerank } }: JudgedCandidate, texts: Texts): HTMLElement {
  const names = texts.scores;
  const remarks = [
    ...(rerank !== undefined && rerank.windows > 1 ? [names.windows(rerank.windows)] : []),
    ...(rerank?.truncated === true ? [names.truncated] : []),
  ];
  return element(
    'dl',
    { class: 'scores' },
    ...row(names.lexical, lexical?.score.toFixed(2), lexical?.rank),
    ...row(names.dense, dense?.score.toFixed(3), dense?.rank),
    ...row(names.fused, fused.score.toFixed(4), fused.rank),
    ...row(names.logit, rerank?.logit.toFixed(2), rerank?.rank, remarks.join(', ')),
    ...(rerank === undefined || rerank.order === rerank.logit
      ? []
      : row(names.order, rerank.order.toFixed(2), rerank.rank)),
  );

  function row(
    name: string,
    score: string | undefined,
    rank: number | undefined,
    remark = '',
  ): HTMLElement[] {
    const value =
      score === undefined || rank === undefined
        ? element('dd', { class: 'absent' }, name === names.logit ? names.notRun : names.notFound)
        : element(
            'dd',
            {},
            element('span', { class: 'number' }, score),
            element('span', { class: 'rank' }, names.rank(rank)),
            remark !== '' && element('span', { class: 'rank' }, remark),
          );
    return [element('dt', {}, name), value];
  }
}
