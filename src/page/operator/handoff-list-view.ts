import type { KnowledgeBaseSummary } from '../api.js';
import { element } from '../dom.js';
import { type Language, languageOf, localized, timeOfDay } from '../language.js';
import type { Desk, ListedConversation } from './desk.js';
import type { OperatorTexts } from './operator-texts.js';

export interface HandoffListOptions {
  words: OperatorTexts;
  language: Language;
  knowledgeBases: readonly KnowledgeBaseSummary[];
  open: (conversation: ListedConversation) => void;
}

/** The conversations that wait for a person or have one. `update` keeps the focus where it is. */
export function createHandoffListView(root: HTMLElement, options: HandoffListOptions) {
  const { words, language, knowledgeBases } = options;
  const list = element('ul', {});
  const remark = element('p', { class: 'explanation', role: 'status' });
  root.setAttribute('aria-label', words.list);
  root.replaceChildren(element('h2', { class: 'small-title' }, words.list), remark, list);
  let shown = '';

  function update(desk: Pick<Desk, 'conversations' | 'refusal' | 'room'>): void {
    const { conversations, refusal } = desk;
    const openId = desk.room?.conversationId;
    const next = JSON.stringify([conversations, refusal, openId]);
    if (next === shown) return;
    shown = next;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.conversation;
    remark.hidden = refusal === undefined && conversations.length > 0;
    remark.textContent =
      refusal === undefined ? words.nobodyWaits : (words.problems[refusal] ?? words.failed);
    list.replaceChildren(...conversations.map((one) => item(one, one.conversationId === openId)));
    if (focused !== undefined) list.querySelector<HTMLElement>(`[data-conversation="${focused}"]`)?.focus();
  }

  function item(conversation: ListedConversation, isOpen: boolean): HTMLElement {
    const { conversationId, knowledgeBase, handling, title = words.untitled, unread } = conversation;
    const base = knowledgeBases.find(({ id }) => id === knowledgeBase);
    const waits = handling.state === 'waiting';
    return element(
      'li',
      {},
      element(
        'button',
        {
          type: 'button',
          class: `handoff handoff-${handling.state}`,
          'data-conversation': conversationId,
          'aria-current': isOpen ? 'true' : undefined,
          onclick: () => options.open(conversation),
        },
        element('span', { class: 'handoff-title', lang: languageOf(title) }, title),
        element(
          'span',
          { class: 'handoff-state' },
          waits ? words.waits : words.has(handling.operator ?? ''),
          unread && element('span', { class: 'handoff-unread' }, words.unread),
        ),
        element(
          'span',
          { class: 'handoff-more' },
          [
            localized(base?.title, language) || knowledgeBase,
            ...(handling.reason === undefined ? [] : [words.reasons[handling.reason]]),
            words.since(timeOfDay(handling.since, language)),
          ].join(' · '),
        ),
      ),
    );
  }

  return { update };
}
