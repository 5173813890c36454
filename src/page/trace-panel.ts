import type { JudgedCandidate, Trace } from '../client/protocol.js';
import { candidateCard, type Fate } from './candidate-card.js';
import { element } from './dom.js';
import type { PanelContent } from './side-panel.js';
import type { Texts } from './texts.js';
import { timingsView } from './timings-view.js';

/** So many dropped candidates are shown at once. */
const FEW = 3;

/** Every candidate with all its scores and its fate, where the time went, and which models took part. */
export function tracePanel(
  trace: Trace,
  { texts, openCandidate }: { texts: Texts; openCandidate: (candidate: JudgedCandidate) => void },
): PanelContent {
  return {
    title: texts.why,
    nodes: [
      summary(trace, texts),
      ...answerability(trace, texts),
      ...candidates(trace, texts, openCandidate),
      timings(trace, texts),
      engines(trace, texts),
      ...prompt(trace, texts),
    ],
  };
}

function summary(trace: Trace, texts: Texts): HTMLElement {
  const { candidates: found, threshold } = trace;
  if (found.length === 0) return element('p', { class: 'trace-summary' }, texts.traceNone);
  const used = found.filter((candidate) => fateOf(candidate, trace) === 'kept').length;
  return element(
    'p',
    { class: 'trace-summary' },
    texts.traceFound(found.length, used),
    ' ',
    threshold === null ? texts.noThreshold : `${texts.threshold(threshold.toFixed(2))}.`,
  );
}

/** How likely an answer was, and from which signals. */
function answerability({ answerability: judged }: Trace, texts: Texts): HTMLElement[] {
  if (judged === undefined) return [];
  const { probability, threshold, signals } = judged;
  const rows = Object.entries(signals).flatMap(([name, value]) => [
    element('dt', {}, texts.signalNames[name as keyof typeof signals]),
    element('dd', {}, value.toFixed(2)),
  ]);
  return [
    section(
      texts.answerability,
      element('p', {}, texts.answerabilityOf(probability.toFixed(2), threshold.toFixed(2))),
      element('dl', { class: 'engines' }, ...rows),
    ),
  ];
}

/** What was relevant enough by itself went nowhere where an answer was too unlikely. */
function fateOf({ decision }: JudgedCandidate, { reason }: Trace): Fate {
  return decision === 'kept' && reason === 'out-of-scope' ? 'refused' : decision;
}

function candidates(
  trace: Trace,
  texts: Texts,
  openCandidate: (candidate: JudgedCandidate) => void,
): HTMLElement[] {
  const { candidates: found, threshold } = trace;
  const isUsed = (candidate: JudgedCandidate): boolean => fateOf(candidate, trace) === 'kept';
  const list = (some: readonly JudgedCandidate[], label: string): HTMLElement => {
    const cards = some.map((candidate, index) => {
      // Sources are the kept candidates, numbered from 1 in this order.
      const n = isUsed(candidate) ? index + 1 : undefined;
      const fate = fateOf(candidate, trace);
      const open = (): void => openCandidate(candidate);
      return element('li', {}, candidateCard(candidate, { fate, threshold, texts, n, open }));
    });
    return element('ol', { class: 'candidates', 'aria-label': label }, ...cards);
  };
  const used = found.filter(isUsed);
  const dropped = found.filter((candidate) => !isUsed(candidate));
  const label = texts.traceDropped(dropped.length);
  return [
    ...(used.length === 0 ? [] : [list(used, texts.traceKept)]),
    ...(dropped.length === 0
      ? []
      : [
          element(
            'details',
            { class: 'dropped', open: used.length === 0 || dropped.length <= FEW },
            element('summary', {}, label),
            list(dropped, label),
          ),
        ]),
  ];
}

function timings(trace: Trace, texts: Texts): HTMLElement {
  return section(texts.timings, timingsView(trace.timings, texts));
}

function engines({ embedder, reranker, device, mode, usage, cost, cache }: Trace, texts: Texts): HTMLElement {
  const names = texts.engineNames;
  const rows: [string, string][] = [
    [names.embedder, embedder ?? texts.none],
    [names.reranker, reranker ?? texts.none],
    [names.device, device ?? texts.none],
    [names.chat, mode === 'extractive' ? texts.extractiveEngine : (usage?.model ?? texts.none)],
  ];
  if (usage !== undefined) {
    const counts = [usage.promptTokens, usage.completionTokens].map((count) => count.toLocaleString('en'));
    rows.push([names.tokens, texts.tokensUsed(counts[0] ?? '', counts[1] ?? '')]);
  }
  if (cost !== undefined) rows.push([names.cost, cost.toPrecision(3)]);
  if (cache !== undefined) rows.push([names.cache, texts.cached(cache.kind, cache.similarity.toFixed(3))]);
  const list = rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]);
  return section(texts.engines, element('dl', { class: 'engines' }, ...list));
}

function prompt({ prompt: messages }: Trace, texts: Texts): HTMLElement[] {
  if (messages === undefined) return [];
  const shown = messages.flatMap(({ role, content }) => [
    element('dt', {}, role),
    element('dd', {}, element('pre', { class: 'prompt' }, content)),
  ]);
  const summary = element('summary', {}, texts.prompt);
  return [element('details', { class: 'prompt-sent' }, summary, element('dl', {}, ...shown))];
}

function section(title: string, ...content: HTMLElement[]): HTMLElement {
  return element(
    'section',
    { class: 'trace-section' },
    element('h3', { class: 'small-title' }, title),
    ...content,
  );
}
