import type { KnowledgeBaseSummary } from './api.js';
import { element, icon } from './dom.js';
import { type Language, localized } from './language.js';
import type { Texts } from './texts.js';

/** What a knowledge base wants to be known before it is relied on; null where it says nothing. */
export function disclaimerView(
  { disclaimer }: KnowledgeBaseSummary,
  { texts, language }: { texts: Texts; language: Language },
): HTMLElement | null {
  const text = localized(disclaimer, language);
  if (text === '') return null;
  return element(
    'aside',
    { class: 'disclaimer', 'aria-label': texts.disclaimer },
    icon('info'),
    element('p', {}, text),
  );
}
