import { element } from './dom.js';
import type { Texts } from './texts.js';

/** Stages that follow each other; the wait for the first word is a part of writing the answer. */
const ORDER = ['understand', 'retrieve', 'faq', 'rerank', 'answer'];
const INSIDE_ANSWER = 'firstToken';
const TOTAL = 'total';

interface Stage {
  name: string;
  start: number;
  milliseconds: number;
  inside: boolean;
}

/** The stages of an answer one under the other, each bar where it stood in time. */
export function timingsView(timings: Readonly<Record<string, number>>, texts: Texts): HTMLElement {
  const stages = placeStages(timings);
  const total =
    timings[TOTAL] ?? Math.max(1, ...stages.map(({ start, milliseconds }) => start + milliseconds));
  const rows = stages.map(({ name, start, milliseconds, inside }) => {
    const bar = element('span', { class: 'time-bar' });
    bar.style.insetInlineStart = `${Math.min(99, (start / total) * 100)}%`;
    bar.style.inlineSize = `${Math.max(0.5, Math.min(100, (milliseconds / total) * 100))}%`;
    return element(
      'tr',
      { class: inside ? 'inside' : undefined },
      element('th', { scope: 'row' }, texts.stages[name] ?? name),
      element(
        'td',
        { class: 'time-cell' },
        element('span', { class: 'time-track', 'aria-hidden': 'true' }, bar),
      ),
      element('td', { class: 'number' }, texts.milliseconds(format(milliseconds))),
    );
  });
  const sum = element(
    'tr',
    { class: 'total' },
    element('th', { scope: 'row' }, texts.stages[TOTAL] ?? TOTAL),
    element('td'),
    element('td', { class: 'number' }, texts.milliseconds(format(total))),
  );
  return element('table', { class: 'timings' }, element('tbody', {}, ...rows, sum));
}

function placeStages(timings: Readonly<Record<string, number>>): Stage[] {
  const unknown = Object.keys(timings).filter((name) => ![...ORDER, INSIDE_ANSWER, TOTAL].includes(name));
  const stages: Stage[] = [];
  let start = 0;
  for (const name of [...ORDER, ...unknown]) {
    const milliseconds = timings[name];
    if (milliseconds === undefined) continue;
    stages.push({ name, start, milliseconds, inside: false });
    const wait = timings[INSIDE_ANSWER];
    if (name === 'answer' && wait !== undefined) {
      stages.push({ name: INSIDE_ANSWER, start, milliseconds: wait, inside: true });
    }
    start += milliseconds;
  }
  return stages;
}

function format(milliseconds: number): string {
  return milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds).toLocaleString('en');
}
