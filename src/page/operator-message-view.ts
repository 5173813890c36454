import type { OperatorMessage } from '../client/protocol.js';
import { element, icon } from './dom.js';
import { type Language, languageOf, timeOfDay } from './language.js';
import type { Texts } from './texts.js';

/** What a person wrote, marked as such. */
export function operatorMessageView(
  { operator, text, sentAt }: OperatorMessage,
  { texts, language }: { texts: Texts; language: Language },
): HTMLElement {
  return element(
    'article',
    { class: 'operator-message' },
    element(
      'header',
      {},
      icon('person'),
      element('span', { class: 'operator-name' }, operator),
      element('span', { class: 'operator-mark' }, texts.aPerson),
      element('time', { datetime: sentAt, class: 'number' }, timeOfDay(sentAt, language)),
    ),
    element('p', { class: 'operator-text', lang: languageOf(text) }, text),
  );
}
