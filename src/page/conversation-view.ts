import type { OperatorMessage } from '../client/protocol.js';
import type { KnowledgeBaseSummary } from './api.js';
import { disclaimerView } from './disclaimer-view.js';
import { element } from './dom.js';
import { createExchangeView, type ExchangeActions, type ExchangeView } from './exchange-view.js';
import type { Language } from './language.js';
import { operatorMessageView } from './operator-message-view.js';
import type { Exchange, Room } from './room.js';
import type { Texts } from './texts.js';
import { groupVersions, type Versions } from './versions.js';
import { startersOf } from './welcome-view.js';

export interface ConversationOptions {
  texts: Texts;
  language: Language;
  actions: ExchangeActions;
}

export type ConversationView = ReturnType<typeof createConversationView>;

/**
 * The exchanges of a room and what people wrote between them, one under the other; those that are there are updated, not
 * made again.
 */
export function createConversationView(root: HTMLElement, options: ConversationOptions) {
  const { texts, language, actions } = options;
  const list = element('div', {});
  const state = element('div', { class: 'conversation-state' });
  const views = new Map<number, ExchangeView>();
  const messages = new Map<string, HTMLElement>();
  const released = element('p', { class: 'note note-plain released' }, texts.assistantAgain);
  /** Which version of an answer the reader wants, by the key of the first; a new one is shown as it comes. */
  const chosen = new Map<number, { at: number; of: number }>();
  let shown: Room | undefined;
  root.setAttribute('aria-label', texts.conversation);
  root.replaceChildren();

  /** `knowledgeBase`: undefined where it is not (yet) known. */
  function update(room: Room, knowledgeBase: KnowledgeBaseSummary | undefined): void {
    if (room !== shown) begin(room, knowledgeBase);
    const keys = new Set(room.exchanges.map(({ key }) => key));
    for (const key of views.keys()) if (!keys.has(key)) views.delete(key);
    const answers = groupVersions(room.exchanges);
    for (const versions of answers) {
      for (const [at, exchange] of versions.entries()) {
        const view = views.get(exchange.key) ?? add(exchange, knowledgeBase);
        const go = (to: number): void => {
          chosen.set(versions[0].key, { at: to, of: versions.length });
          update(room, knowledgeBase);
          shownView(versions)?.focusSteps();
        };
        view.update(exchange, versions.length === 1 ? undefined : { at, of: versions.length, go });
      }
    }
    const nodes = inOrder(room, answers);
    for (const child of [...list.children]) if (!nodes.includes(child as HTMLElement)) child.remove();
    nodes.forEach((node, index) => {
      if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
    });
    showState(room);
  }

  /** What a person wrote stands behind the question it came after, once the questions are here. */
  function inOrder(
    { operatorMessages, handling, loading }: Room,
    answers: readonly Versions[],
  ): HTMLElement[] {
    const shownMessages = loading === 'running' ? [] : operatorMessages;
    const left = new Set(shownMessages);
    const written = (belongs: (afterMessageId: string | null) => boolean): HTMLElement[] =>
      [...left]
        .filter(({ afterMessageId }) => belongs(afterMessageId))
        .map((message) => {
          left.delete(message);
          return messageView(message);
        });
    const nodes = [
      ...written((afterMessageId) => afterMessageId === null),
      ...answers.flatMap((versions) => [
        ...[shownView(versions)?.root].filter((root) => root !== undefined),
        ...written((after) => versions.some(({ messageId }) => messageId === after)),
      ]),
      ...written(() => true),
    ];
    const last = shownMessages.at(-1);
    if (handling?.state !== 'assistant' || last === undefined) return nodes;
    const behind = nodes.indexOf(messageView(last)) + 1;
    return [...nodes.slice(0, behind), released, ...nodes.slice(behind)];
  }

  function shownView(versions: Versions): ExchangeView | undefined {
    const choice = chosen.get(versions[0].key);
    const shownVersion = choice?.of === versions.length ? versions[choice.at] : versions.at(-1);
    return shownVersion === undefined ? undefined : views.get(shownVersion.key);
  }

  function messageView(message: OperatorMessage): HTMLElement {
    const { operatorMessageId } = message;
    const view = messages.get(operatorMessageId) ?? operatorMessageView(message, { texts, language });
    messages.set(operatorMessageId, view);
    return view;
  }

  function begin(room: Room, knowledgeBase: KnowledgeBaseSummary | undefined): void {
    shown = room;
    views.clear();
    chosen.clear();
    messages.clear();
    list.replaceChildren();
    const disclaimer =
      knowledgeBase === undefined ? null : disclaimerView(knowledgeBase, { texts, language });
    root.replaceChildren(...(disclaimer === null ? [] : [disclaimer]), state, list);
  }

  function add(exchange: Exchange, knowledgeBase: KnowledgeBaseSummary | undefined): ExchangeView {
    const startersIn = (asked: Language = language): string[] =>
      knowledgeBase === undefined ? [] : startersOf(knowledgeBase, asked);
    const view = createExchangeView(exchange, { texts, startersIn, actions });
    views.set(exchange.key, view);
    return view;
  }

  function showState(room: Room): void {
    if (room.loading === 'done') state.replaceChildren();
    else if (room.loading === 'running')
      state.replaceChildren(element('p', { class: 'progress' }, texts.loading));
    else {
      const again = { type: 'button', class: 'button button-small', onclick: () => void room.restore() };
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
