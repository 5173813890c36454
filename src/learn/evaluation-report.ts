import { type Evaluation, type QuestionResult, STAGES } from './evaluate-retrieval.js';
import { METRIC_NAMES } from './ranking-metrics.js';

const WORST = 20;
const BINS = 20;
const STYLE = `
:root { color-scheme: light dark; --bar: #3b6ea8; --other: #c2703d; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; }
small { opacity: .7; }
svg { max-width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
details { margin: .5rem 0; }`;

/** A page that stands alone: a table, a bar for each stage, the reranker's scores, and the worst questions. */
export function evaluationReport(title: string, evaluation: Evaluation): string {
  const { documents, passages, questions } = evaluation;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(title)}</h1>
<p>${documents} documents, ${passages} passages, ${questions.length} questions. Intervals: 95 %, bootstrap.</p>
${metricsTable(evaluation)}
<h2>NDCG@10 by stage</h2>
${stageBars(evaluation)}
<h2>What the reranker says of relevant and irrelevant candidates</h2>
${scoreHistogram(questions)}
<h2>Worst questions</h2>
${worstQuestions(questions)}
</body></html>
`;
}

function metricsTable({ stages }: Evaluation): string {
  const head = METRIC_NAMES.map((name) => `<th>${name}</th>`).join('');
  const rows = STAGES.flatMap((stage) => {
    const estimates = stages[stage];
    if (estimates === undefined) return [];
    const cells = METRIC_NAMES.map((name) => {
      const { mean, low, high } = estimates[name];
      return `<td>${mean.toFixed(3)}<br><small>${low.toFixed(3)}–${high.toFixed(3)}</small></td>`;
    });
    return [`<tr><td>${stage}</td>${cells.join('')}</tr>`];
  });
  return `<table><tr><th></th>${head}</tr>${rows.join('')}</table>`;
}

function stageBars({ stages }: Evaluation): string {
  const bars = STAGES.flatMap((stage) => {
    const estimate = stages[stage]?.['ndcg@10'];
    return estimate === undefined ? [] : [{ stage, ...estimate }];
  });
  const rows = bars.map(({ stage, mean, low, high }, row) => {
    const y = row * 30;
    const x = (value: number): number => 80 + value * 480;
    return `<text x="0" y="${y + 18}">${stage}</text>
<rect x="80" y="${y + 4}" width="${mean * 480}" height="20" fill="var(--bar)"/>
<path d="M${x(low)} ${y + 14}H${x(high)}" stroke="currentColor" stroke-width="2"/>
<text x="${x(1) + 8}" y="${y + 18}">${mean.toFixed(3)}</text>`;
  });
  return `<svg viewBox="0 0 620 ${bars.length * 30}" role="img" aria-label="NDCG@10 by stage">${rows.join('')}</svg>`;
}

function scoreHistogram(questions: readonly QuestionResult[]): string {
  const scores = questions.flatMap((question) => question.scores);
  if (scores.length === 0) return '<p>No reranker ran.</p>';
  const share = (relevant: boolean): number[] => {
    const chosen = scores.filter((score) => score.relevant === relevant);
    const counts = new Array<number>(BINS).fill(0);
    for (const { sigmoid } of chosen) {
      const bin = Math.min(BINS - 1, Math.floor(sigmoid * BINS));
      counts[bin] = (counts[bin] ?? 0) + 1 / chosen.length;
    }
    return counts;
  };
  const bars = (shares: readonly number[], offset: number, fill: string): string =>
    shares
      .map((value, bin) => {
        const height = value * 180;
        return `<rect x="${bin * 30 + offset}" y="${190 - height}" width="12" height="${height}" fill="${fill}"/>`;
      })
      .join('');
  return `<svg viewBox="0 0 620 215" role="img" aria-label="Share of candidates by sigmoid">
${bars(share(true), 2, 'var(--bar)')}${bars(share(false), 15, 'var(--other)')}
<path d="M0 190H600" stroke="currentColor"/><text x="0" y="206">0</text><text x="292" y="206">0.5</text><text x="590" y="206">1</text>
<text x="200" y="14" style="fill:var(--bar)">relevant</text><text x="270" y="14" style="fill:var(--other)">irrelevant</text></svg>`;
}

function worstQuestions(questions: readonly QuestionResult[]): string {
  const lastOf = ({ metrics }: QuestionResult): number =>
    metrics[STAGES.findLast((stage) => metrics[stage] !== undefined) ?? 'fused']?.['ndcg@10'] ?? 0;
  return questions
    .toSorted((a, b) => lastOf(a) - lastOf(b))
    .slice(0, WORST)
    .map((question) => {
      const { query, best, relevant, metrics } = question;
      const stages = STAGES.filter((stage) => metrics[stage] !== undefined);
      const figures = stages.map((stage) => `${stage} ${metrics[stage]?.['ndcg@10'].toFixed(2)}`).join(', ');
      const quote = ({ documentId, text }: { documentId: string; text: string }): string =>
        `<b>${escapeHtml(documentId)}</b> ${escapeHtml(text.slice(0, 600))}`;
      const right = relevant.map((document) => `<p>Right: ${quote(document)}</p>`).join('');
      return `<details><summary>${escapeHtml(query.text)} <small>${figures}</small></summary><p>Put first: ${
        best === undefined ? 'nothing' : quote(best)
      }</p>${right}</details>`;
    })
    .join('\n');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
