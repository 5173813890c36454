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
  /** Absent where no key is in use. */
  changeKey?: () => void;
}

export type TopBar = ReturnType<typeof createTopBar>;

/** Name, choice of knowledge base, new conversation, key, language. */
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
  const heading = element('h1', { class: 'visually-hidden', hidden: true });
  const choice = element('div', { class: 'knowledge-choice' }, select, icon('chevron'));
  root.replaceChildren(
    wordmark(),
    heading,
    choice,
    element('div', { class: 'top-end' }, anew, keyButton(options), languageSwitch(options)),
  );

  return {
    update({ knowledgeBase, started }: { knowledgeBase: string | undefined; started: boolean }): void {
      choice.hidden = !started || knowledgeBases.length === 0;
      anew.hidden = !started;
      if (knowledgeBase !== undefined) select.value = knowledgeBase;
      const { title } = knowledgeBases.find(({ id }) => id === knowledgeBase) ?? {};
      heading.hidden = !started;
      heading.textContent = localized(title, language);
      document.title = started ? `${heading.textContent} · Askbase` : 'Askbase';
    },
  };
}

export function wordmark(): HTMLElement {
  return element(
    'div',
    { class: 'wordmark', role: 'img', 'aria-label': 'Askbase' },
    icon('mark'),
    element('span', {}, 'Askbase'),
  );
}

export function languageSwitch({
  texts,
  language,
  switchLanguage,
}: Pick<TopBarOptions, 'texts' | 'language' | 'switchLanguage'>): HTMLElement {
  return element(
    'button',
    {
      type: 'button',
      class: 'text-button language-switch',
      lang: language === 'en' ? 'zh' : 'en',
      onclick: switchLanguage,
    },
    texts.otherLanguage,
  );
}

export function keyButton({
  texts,
  changeKey,
}: Pick<TopBarOptions, 'texts' | 'changeKey'>): HTMLElement | null {
  if (changeKey === undefined) return null;
  const label = texts.key.change;
  return element(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick: changeKey },
    icon('key'),
  );
}
