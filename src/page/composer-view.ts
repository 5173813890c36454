import { element, icon } from './dom.js';
import type { Texts } from './texts.js';

/** What the server takes as a question, in UTF-16 code units. */
const MAX_QUESTION_LENGTH = 4000;

export interface ComposerActions {
  ask: (question: string) => void;
  stop: () => void;
  draftChanged: (text: string) => void;
  toLatest: () => void;
}

export type ComposerView = ReturnType<typeof createComposerView>;

/** Where a question is written. While an answer is under way, the button stops it, and writing the next goes on. */
export function createComposerView(root: HTMLElement, texts: Texts, actions: ComposerActions) {
  const textarea = element('textarea', {
    rows: 1,
    maxlength: MAX_QUESTION_LENGTH,
    'aria-label': texts.askLabel,
    placeholder: texts.askPlaceholder,
    enterkeyhint: 'send',
    autocomplete: 'off',
    oninput: () => {
      grow();
      actions.draftChanged(textarea.value);
    },
    onkeydown: (event: KeyboardEvent) => {
      if (!isSendKey(event)) return;
      event.preventDefault();
      send();
    },
  });
  const askButton = element('button', { type: 'submit', class: 'button' }, icon('send'), texts.ask);
  const stopButton = element(
    'button',
    { type: 'button', class: 'button stop-button', onclick: () => actions.stop() },
    icon('stop'),
    texts.stop,
  );
  const latest = element(
    'button',
    { type: 'button', class: 'to-latest', hidden: true, onclick: () => actions.toLatest() },
    icon('down'),
    texts.toLatest,
  );
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    send();
  };
  let busy = false;

  root.replaceChildren(
    latest,
    element('form', { onsubmit: submit }, textarea, askButton, stopButton),
    element('p', { class: 'composer-hint' }, texts.askHint),
  );
  setBusy(false);

  function send(): void {
    const question = textarea.value.trim();
    if (busy || question === '') return;
    setText('');
    actions.ask(question);
  }

  function setText(text: string): void {
    textarea.value = text;
    grow();
  }

  /** As high as its text; CSS bounds it. */
  function grow(): void {
    textarea.style.blockSize = 'auto';
    textarea.style.blockSize = `${textarea.scrollHeight}px`;
  }

  function setBusy(next: boolean): void {
    const hadFocus = document.activeElement === stopButton || document.activeElement === askButton;
    busy = next;
    askButton.hidden = busy;
    stopButton.hidden = !busy;
    if (hadFocus) (busy ? stopButton : textarea).focus();
  }

  return {
    setText,
    setBusy,
    focus: (): void => textarea.focus(),
    offerLatest(offered: boolean): void {
      latest.hidden = !offered;
    },
  };
}

/** Enter sends, but not while an input method composes: there it chooses a candidate. Safari says so by 229 only. */
function isSendKey(event: KeyboardEvent): boolean {
  return event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}
