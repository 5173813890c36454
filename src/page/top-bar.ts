import type { KnowledgeBaseSummary } from './api.js';
import { element, icon } from './dom.js';
import { type Language, localized } from './language.js';
import type { Texts } from './texts.js';

export interface TopBarOptions {
  texts: Texts;
  language: Language;
  knowledgeBases: readonly KnowledgeBaseSummary[];
  open: (knowledgeBase: string) => void;
  newConversation: () => void;
  switchLanguage: () => void;
}

export type TopBar = ReturnType<typeof createTopBar>;

/** Name, choice of knowledge base, new conversation, language. */
export function createTopBar(root: HTMLElement, options: TopBarOptions) {
  const { texts, language, knowledgeBases } = options;
  const select = element(
    'select',
    { 'aria-label': texts.chooseKnowledge, onchange: () => options.open(select.value) },
    ...knowledgeBases.map(({ id, title }) => element('option', { value: id }, localized(title, language))),
  );
  const anew = element(
    'button',
    {
      type: 'button',
      class: 'text-button',
      'aria-label': texts.newConversation,
      onclick: options.newConversation,
    },
    icon('new'),
    element('span', {}, texts.newConversation),
  );
  const choice = element('div', { class: 'knowledge-choice' }, select, icon('chevron'));
  root.replaceChildren(
    element(
      'div',
      { class: 'wordmark', role: 'img', 'aria-label': 'Askbase' },
      icon('mark'),
      element('span', {}, 'Askbase'),
    ),
    choice,
    element(
      'div',
      { class: 'top-end' },
      anew,
      element(
        'button',
        {
          type: 'button',
          class: 'text-button language-switch',
          lang: language === 'en' ? 'zh' : 'en',
          onclick: options.switchLanguage,
        },
        texts.otherLanguage,
      ),
    ),
  );

  return {
    update({ knowledgeBase, started }: { knowledgeBase: string | undefined; started: boolean }): void {
      choice.hidden = !started || knowledgeBases.length === 0;
      anew.hidden = !started;
      if (knowledgeBase !== undefined) select.value = knowledgeBase;
    },
  };
}
