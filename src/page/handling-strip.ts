import type { Handling } from '../client/protocol.js';
import { element, icon } from './dom.js';
import type { Texts } from './texts.js';

/** Says above the field who answers, while that is a person. */
export function createHandlingStrip(root: HTMLElement, texts: () => Texts) {
  let shown = '';

  return {
    update(handling: Handling | undefined): void {
      const text = handling?.state === 'operator' ? texts().operatorAnswers(handling.operator ?? '') : '';
      if (text === shown) return;
      shown = text;
      root.replaceChildren(...(text === '' ? [] : [icon('person'), element('span', {}, text)]));
    },
  };
}
