import { type AnswerState, citedSources, isRunning } from './answer-state.js';
import type { Exchange } from './chat.js';
import { explanationOf, outcomeOf } from './outcome-view.js';
import type { Texts } from './texts.js';

/** Tells those who hear the page how an answer goes on: its phases, then all of it at once, not word by word. */
export function createAnnouncer(root: HTMLElement, texts: () => Texts) {
  const phases = new Map<number, AnswerState['phase']>();

  function announce({ key, answer }: Exchange): void {
    const before = phases.get(key);
    if (before === answer.phase) return;
    phases.set(key, answer.phase);
    if (isRunning(answer)) say(runningText(answer));
    else if (before !== undefined) say(endText(answer));
  }

  function runningText({ phase }: AnswerState): string {
    if (phase === 'asked') return texts().phases.asked;
    return phase === 'searching' ? texts().phases.searching : texts().announceWriting;
  }

  function endText(answer: AnswerState): string {
    const { heading } = outcomeOf(answer, texts());
    const done = answer.phase === 'answered' ? texts().announceDone(citedSources(answer).length) : '';
    const parts = [heading?.textContent, answer.text, explanationOf(answer, texts()), done];
    return parts.filter((part) => part !== null && part !== undefined && part !== '').join('\n');
  }

  function say(text: string): void {
    root.textContent = text;
  }

  return { announce };
}
