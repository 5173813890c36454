import type { Catalogue, KnowledgeBaseSummary } from './api.js';
import { disclaimerView } from './disclaimer-view.js';
import { element } from './dom.js';
import { type Language, localized } from './language.js';
import { startersView } from './starters-view.js';
import type { Texts } from './texts.js';

export interface WelcomeOptions {
  texts: Texts;
  language: Language;
  open: (knowledgeBase: string) => void;
  ask: (question: string) => void;
}

/** What is shown before the first question: the knowledge bases, what one may ask, and whether a model is set. */
export function welcomeView(
  catalogue: Catalogue,
  chosen: string | undefined,
  options: WelcomeOptions,
): HTMLElement[] {
  const { texts, language } = options;
  const { knowledgeBases, mode } = catalogue;
  const knowledgeBase = knowledgeBases.find(({ id }) => id === chosen);
  return [
    element('h1', {}, texts.headline),
    element('p', { class: 'tagline' }, texts.tagline),
    knowledgeBases.length === 0
      ? element('p', {}, texts.noKnowledge)
      : cards(knowledgeBases, chosen, options),
    ...(knowledgeBase === undefined ? [] : about(knowledgeBase, options)),
    ...(mode === 'extractive' ? [noModel(texts)] : []),
  ].map((node) => {
    node.lang ||= language;
    return node;
  });
}

function cards(
  knowledgeBases: readonly KnowledgeBaseSummary[],
  chosen: string | undefined,
  options: WelcomeOptions,
): HTMLElement {
  return element(
    'fieldset',
    {},
    element('legend', { class: 'visually-hidden' }, options.texts.chooseKnowledge),
    element(
      'div',
      { class: 'knowledge-cards' },
      ...knowledgeBases.map((one) => card(one, one.id === chosen, options)),
    ),
  );
}

function card(
  { id, title, description, documents, passages }: KnowledgeBaseSummary,
  checked: boolean,
  { texts, language, open }: WelcomeOptions,
): HTMLElement {
  const counts =
    documents === 0 ? texts.noDocuments : `${texts.documents(documents)} · ${texts.passages(passages)}`;
  return element(
    'label',
    { class: 'knowledge-card' },
    element('input', { type: 'radio', name: 'knowledge-base', value: id, checked, onchange: () => open(id) }),
    element('span', { class: 'knowledge-card-title' }, localized(title, language)),
    element('span', { class: 'knowledge-card-text' }, localized(description, language)),
    element('span', { class: 'knowledge-card-counts number' }, counts),
  );
}

function about(knowledgeBase: KnowledgeBaseSummary, { texts, language, ask }: WelcomeOptions): HTMLElement[] {
  const starters = startersOf(knowledgeBase, language);
  const disclaimer = disclaimerView(knowledgeBase, { texts, language });
  return [
    ...(disclaimer === null ? [] : [disclaimer]),
    ...(starters.length === 0
      ? []
      : [
          element(
            'section',
            { class: 'starter-section' },
            element('h2', { class: 'small-title' }, texts.starters),
            startersView(starters, ask),
          ),
        ]),
  ];
}

/** Example questions in the page's language, else in the other. */
export function startersOf({ starters }: KnowledgeBaseSummary, language: Language): string[] {
  const own = starters[language] ?? [];
  return own.length > 0 ? own : (starters[language === 'en' ? 'zh' : 'en'] ?? []);
}

function noModel(texts: Texts): HTMLElement {
  const options = texts.noModelOptions.flatMap(([name, meaning]) => [
    element('dt', {}, name),
    element('dd', {}, meaning),
  ]);
  return element(
    'details',
    { class: 'no-model' },
    element('summary', {}, texts.noModelTitle),
    element('p', {}, texts.noModelHow),
    element('dl', {}, ...options),
  );
}
