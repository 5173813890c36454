import { element } from './dom.js';
import type { Session } from './session.js';
import type { Texts } from './texts.js';

export interface KeyDialogOptions {
  session: Pick<Session, 'apiKey' | 'setApiKey' | 'forgetApiKey'>;
  texts: () => Texts;
}

/**
 * Asks for the API key of a server that lets nobody in without one. With another key, or none, the page is loaded anew:
 * nothing that the key before could see stays.
 */
export function createKeyDialog(dialog: HTMLDialogElement, { session, texts }: KeyDialogOptions) {
  /** `refused`: the server did not take what was sent. */
  function open({ refused }: { refused: boolean }): void {
    if (dialog.open) return;
    const words = texts().key;
    const known = session.apiKey() !== undefined;
    const field = element('input', {
      id: 'key-field',
      class: 'text-field',
      type: 'password',
      required: true,
      autocomplete: 'off',
      spellcheck: 'false',
      ...(refused && known ? { 'aria-describedby': 'key-wrong', 'aria-invalid': 'true' } : {}),
    });
    const remember = element('input', { type: 'checkbox' });
    const use = (event: SubmitEvent): void => {
      event.preventDefault();
      const key = field.value.trim();
      if (key === '') return;
      session.setApiKey(key, { remember: remember.checked });
      location.reload();
    };
    const forget = (): void => {
      session.forgetApiKey();
      location.reload();
    };
    dialog.replaceChildren(
      element(
        'form',
        { class: 'key-form', onsubmit: use },
        element('h2', { id: 'key-title' }, words.title),
        element('p', { class: 'explanation' }, words.why),
        element('label', { for: 'key-field' }, words.field),
        field,
        refused && known && element('p', { id: 'key-wrong', class: 'problem', role: 'alert' }, words.wrong),
        element('label', { class: 'check' }, remember, words.remember),
        element(
          'div',
          { class: 'form-actions' },
          element('button', { type: 'submit', class: 'button button-small' }, words.use),
          quiet(words.cancel, () => dialog.close()),
          known && quiet(words.forget, forget),
        ),
      ),
    );
    dialog.showModal();
    field.focus();
  }

  function quiet(label: string, act: () => void): HTMLButtonElement {
    return element(
      'button',
      { type: 'button', class: 'button button-small button-quiet', onclick: act },
      label,
    );
  }

  return { open };
}
