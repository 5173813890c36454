import { element, icon } from '../dom.js';
import { languageOf } from '../language.js';
import type { Room } from '../room.js';
import type { OperatorTexts } from './operator-texts.js';

export interface PaneHeaderOptions {
  words: OperatorTexts;
  /** As it was given before. */
  name: string;
  takeOver: (name: string) => void;
  release: () => void;
  back: () => void;
}

export interface ShownPane {
  room: Room | undefined;
  title: string | undefined;
  problem: string | undefined;
}

const MAX_NAME_LENGTH = 80;

/** What the open conversation is about, who answers there, and the way to take it over or give it back. */
export function createPaneHeader(root: HTMLElement, options: PaneHeaderOptions) {
  const { words } = options;
  const heading = element('h2', { tabindex: -1 });
  const state = element('p', { class: 'pane-state', role: 'status' });
  const problem = element('p', { class: 'problem', role: 'alert' });
  const name = element('input', {
    class: 'text-field',
    required: true,
    maxlength: MAX_NAME_LENGTH,
    autocomplete: 'name',
    value: options.name,
  });
  const take = (event: SubmitEvent): void => {
    event.preventDefault();
    if (name.value.trim() !== '') options.takeOver(name.value.trim());
  };
  const takeOver = element(
    'form',
    { class: 'takeover-form', onsubmit: take },
    element('label', {}, element('span', {}, words.yourName), name),
    element('button', { type: 'submit', class: 'button button-small' }, words.takeOver),
  );
  const release = element(
    'button',
    { type: 'button', class: 'button button-small button-quiet', onclick: () => options.release() },
    words.release,
  );
  const back = element(
    'button',
    {
      type: 'button',
      class: 'icon-button back-to-list',
      'aria-label': words.backToList,
      title: words.backToList,
      onclick: () => options.back(),
    },
    icon('back'),
  );
  const open = element(
    'div',
    { class: 'pane-header column' },
    back,
    element('div', { class: 'pane-title' }, heading, state),
    takeOver,
    release,
  );
  const none = element('p', { class: 'pane-empty column explanation' }, words.chooseOne);
  root.replaceChildren(none, open, element('div', { class: 'column' }, problem));

  function update({ room, title = words.untitled, problem: code }: ShownPane): void {
    none.hidden = room !== undefined;
    open.hidden = room === undefined;
    problem.textContent = code === undefined ? '' : (words.problems[code] ?? words.failed);
    if (heading.textContent !== title) heading.textContent = title;
    heading.lang = languageOf(title);
    const hadFocus = open.contains(document.activeElement);
    const taken = room?.handling?.state === 'operator';
    takeOver.hidden = room?.handling === undefined || taken;
    release.hidden = !taken;
    const text = stateText(room);
    if (state.textContent !== text) state.textContent = text;
    if (hadFocus && !open.contains(document.activeElement)) heading.focus();
  }

  function stateText(room: Room | undefined): string {
    const { state: who, operator = '', reason } = room?.handling ?? {};
    if (who === 'operator') return `${words.has(operator)} · ${words.silent}`;
    if (who === 'assistant') return words.assistantHas;
    if (who === undefined) return '';
    return [
      words.waits,
      ...(reason === undefined ? [] : [words.reasons[reason]]),
      words.assistantMeanwhile,
    ].join(' · ');
  }

  return { update, focus: (): void => heading.focus() };
}
