import { type AnswerState, citedSources, isRunning } from './answer-state.js';
import { explanationOf, outcomeOf } from './outcome-view.js';
import type { Exchange, Room } from './room.js';
import type { Texts } from './texts.js';

/**
 * Tells those who hear the page how answers go on: their phases, then all of it at once, not word by word; and what people
 * write.
 */
export function createAnnouncer(root: HTMLElement, texts: () => Texts) {
  const phases = new Map<number, AnswerState['phase']>();
  /** How many messages of people were there before. */
  const written = new WeakMap<Room, number>();

  function announce(room: Room): void {
    for (const exchange of room.exchanges) announceAnswer(exchange);
    const { operatorMessages, handling } = room;
    if (handling === undefined) return;
    const added = operatorMessages.slice(written.get(room) ?? operatorMessages.length);
    written.set(room, operatorMessages.length);
    if (added.length > 0) say(added.map(({ operator, text }) => `${operator}: ${text}`).join('\n'));
  }

  function announceAnswer({ key, answer }: Exchange): void {
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
