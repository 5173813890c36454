import type { KnowledgeBaseSummary } from './api.js';
import type { Exchange, Room } from './chat.js';
import { disclaimerView } from './disclaimer-view.js';
import { element } from './dom.js';
import { createExchangeView, type ExchangeActions, type ExchangeView } from './exchange-view.js';
import type { Language } from './language.js';
import type { Texts } from './texts.js';
import { startersOf } from './welcome-view.js';

export interface ConversationOptions {
  texts: Texts;
  language: Language;
  actions: ExchangeActions;
  restore: (room: Room) => void;
}

export type ConversationView = ReturnType<typeof createConversationView>;

/** The exchanges of a room, one under the other; those that are there are updated, not made again. */
export function createConversationView(root: HTMLElement, options: ConversationOptions) {
  const { texts, language, actions } = options;
  const list = element('div', {});
  const state = element('div', { class: 'conversation-state' });
  const views = new Map<number, ExchangeView>();
  let shown: Room | undefined;
  root.setAttribute('aria-label', texts.conversation);
  root.replaceChildren();

  function update(room: Room, knowledgeBase: KnowledgeBaseSummary): void {
    if (room !== shown) begin(room, knowledgeBase);
    const keys = new Set(room.exchanges.map(({ key }) => key));
    for (const [key, view] of views) {
      if (keys.has(key)) continue;
      view.root.remove();
      views.delete(key);
    }
    room.exchanges.forEach((exchange, index) => {
      const view = views.get(exchange.key) ?? add(exchange, knowledgeBase);
      if (list.children[index] !== view.root) list.insertBefore(view.root, list.children[index] ?? null);
      view.update(exchange);
    });
    showState(room);
  }

  function begin(room: Room, knowledgeBase: KnowledgeBaseSummary): void {
    shown = room;
    views.clear();
    list.replaceChildren();
    const disclaimer = disclaimerView(knowledgeBase, { texts, language });
    root.replaceChildren(...(disclaimer === null ? [] : [disclaimer]), state, list);
  }

  function add(exchange: Exchange, knowledgeBase: KnowledgeBaseSummary): ExchangeView {
    const startersIn = (asked: Language = language): string[] => startersOf(knowledgeBase, asked);
    const view = createExchangeView(exchange, { texts, startersIn, actions });
    views.set(exchange.key, view);
    return view;
  }

  function showState(room: Room): void {
    if (room.loading === 'done') state.replaceChildren();
    else if (room.loading === 'running')
      state.replaceChildren(element('p', { class: 'progress' }, texts.loading));
    else {
      const again = { type: 'button', class: 'button button-small', onclick: () => options.restore(room) };
      state.replaceChildren(
        element('p', { class: 'explanation' }, texts.restoreFailed),
        element('button', again, texts.tryAgain),
      );
    }
  }

  return {
    update,
    clear(): void {
      shown = undefined;
      views.clear();
      root.replaceChildren();
    },
    viewOf: (key: number): ExchangeView | undefined => views.get(key),
  };
}
