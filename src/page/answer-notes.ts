import { type AnswerState, isRunning } from './answer-state.js';
import { element, icon } from './dom.js';
import type { Texts } from './texts.js';

/** What must be said beside the answer: verdicts, parts that were missing, a stop, a takeover by a person. */
export function answerNotes(answer: AnswerState, texts: Texts): HTMLElement[] {
  const shown = answer.verdicts.filter(({ withheld }) => withheld !== true);
  const withheld = answer.verdicts.length - shown.length;
  const count = (verdict: string): number => shown.filter((one) => one.verdict === verdict).length;
  const unsupported = count('unsupported');
  const weak = count('weak');
  const degraded = answer.completed?.degraded ?? [];
  return [
    ...(unsupported > 0 ? [note('alert', 'note-unsupported', texts.unsupportedNote(unsupported))] : []),
    ...(weak > 0 ? [note('alert', 'note-weak', texts.weakNote(weak))] : []),
    ...(withheld > 0 ? [note('alert', 'note-plain', texts.withheldNote(withheld))] : []),
    ...(degraded.length > 0 ? [note('alert', 'note-weak', texts.degraded(degraded.join(', ')))] : []),
    ...(answer.completed?.cutOff === true ? [note('stop', 'note-weak', texts.cutOff)] : []),
    ...(answer.handoff ? [note('person', 'note-plain', texts.handoff)] : []),
    ...(answer.phase === 'stopped' ? [note('stop', 'note-plain', texts.stopped)] : []),
  ];
}

function note(symbol: string, kind: string, text: string): HTMLElement {
  return element('p', { class: `note ${kind}` }, icon(symbol), element('span', {}, text));
}

/** What is going on before the first word; null once there is text or an end. */
export function progressLine(answer: AnswerState, texts: Texts): string | null {
  if (!isRunning(answer) || answer.text !== '') return null;
  if (answer.phase === 'asked') return texts.phases.asked;
  return answer.phase === 'searching' ? texts.phases.searching : texts.phases.writing(answer.sources.length);
}
