import { type AnswerState, isRunning } from './answer-state.js';
import { element, icon } from './dom.js';
import type { Texts } from './texts.js';

export interface Outcome {
  /** Styles the answer as a whole. */
  kind: 'plain' | 'triage' | 'policy' | 'passed-on' | 'no-answer' | 'failed';
  heading: HTMLElement | null;
}

/** What kind of answer it became, and its heading where it is not simply an answer. */
export function outcomeOf(answer: AnswerState, texts: Texts): Outcome {
  if (answer.phase === 'failed') {
    return { kind: 'failed', heading: heading('alert', texts.failedTitle) };
  }
  if (answer.phase !== 'no-answer') return { kind: 'plain', heading: null };
  const reason = answer.completed?.reason ?? 'no-hits';
  switch (reason) {
    case 'triage':
      return { kind: 'triage', heading: heading('alert', texts.triageTitle) };
    case 'clarification':
      return { kind: 'policy', heading: heading('person', texts.clarificationTitle) };
    case 'operator':
      return { kind: 'passed-on', heading: heading('person', texts.operatorTitle) };
    case 'no-vision':
      return { kind: 'policy', heading: heading('image', texts.noVisionTitle) };
    case 'policy':
      return { kind: 'policy', heading: heading('person', texts.policyTitle) };
    case 'dependency-down':
      return { kind: 'failed', heading: heading('alert', texts.unreachableTitle) };
    default:
      return { kind: 'no-answer', heading: heading('nothing', texts.noAnswerTitle) };
  }
}

function heading(symbol: string, text: string): HTMLElement {
  return element('h3', { class: 'outcome-title' }, icon(symbol), element('span', {}, text));
}

/** Why there is no answer, or what failed, in plain words. */
export function explanationOf(answer: AnswerState, texts: Texts): string | null {
  if (answer.error !== undefined && answer.phase === 'failed') {
    const { code, retryAfterSeconds } = answer.error;
    const plain = texts.errors[code] ?? answer.error.message;
    return retryAfterSeconds === undefined ? plain : `${plain} ${texts.retryIn(retryAfterSeconds)}`;
  }
  const reason = answer.completed?.reason;
  if (reason === 'no-hits' || reason === 'below-threshold' || reason === 'out-of-scope') {
    return texts.noAnswerReasons[reason];
  }
  return null;
}

/** Whether asking the same again is offered: after a failure, and where a model may word it otherwise. */
export function mayAskAgain({ phase, completed }: AnswerState): boolean {
  if (phase === 'answered') return completed?.usage !== undefined;
  return phase === 'failed' || phase === 'stopped' || completed?.reason === 'dependency-down';
}

/** What is said without a look at the knowledge base. */
const SAID_WITHOUT_SEARCH = new Set(['triage', 'policy', 'clarification', 'no-vision', 'operator']);

/** Whether a search was made, so that there is something to explain. */
export function hasTrace(answer: AnswerState): boolean {
  const reason = answer.completed?.reason ?? '';
  const searched = answer.sources.length > 0 || !SAID_WITHOUT_SEARCH.has(reason);
  return !isRunning(answer) && answer.question !== undefined && searched;
}
