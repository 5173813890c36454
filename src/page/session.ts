/** What a tab remembers over a reload. */
interface Remembered {
  knowledgeBase?: string;
  /** The conversation that is open in each knowledge base. */
  conversations: Record<string, string>;
  /** Questions that were written and not sent, by knowledge base. */
  drafts: Record<string, string>;
}

const KEY = 'askbase';
const LANGUAGE_KEY = 'askbase-language';
const KNOWLEDGE_BASE_KEY = 'askbase-knowledge-base';

export type Session = ReturnType<typeof createSession>;

/**
 * Remembers in the tab (conversations, drafts) and in the browser (language, last knowledge base). A browser that
 * refuses storage is no error: then nothing is remembered.
 */
export function createSession(
  tab: () => Pick<Storage, 'getItem' | 'setItem'>,
  browser: () => Pick<Storage, 'getItem' | 'setItem'>,
) {
  const remembered = parse(attempt(() => tab().getItem(KEY)));
  const save = (): void => {
    attempt(() => tab().setItem(KEY, JSON.stringify(remembered)));
  };
  return {
    language: (): string | null => attempt(() => browser().getItem(LANGUAGE_KEY)) ?? null,
    setLanguage(language: string): void {
      attempt(() => browser().setItem(LANGUAGE_KEY, language));
    },
    knowledgeBase: (): string | undefined =>
      remembered.knowledgeBase ?? attempt(() => browser().getItem(KNOWLEDGE_BASE_KEY)) ?? undefined,
    setKnowledgeBase(id: string): void {
      remembered.knowledgeBase = id;
      save();
      attempt(() => browser().setItem(KNOWLEDGE_BASE_KEY, id));
    },
    conversation: (knowledgeBase: string): string | undefined => remembered.conversations[knowledgeBase],
    setConversation(knowledgeBase: string, conversationId: string | undefined): void {
      if (conversationId === undefined) delete remembered.conversations[knowledgeBase];
      else remembered.conversations[knowledgeBase] = conversationId;
      save();
    },
    draft: (knowledgeBase: string): string => remembered.drafts[knowledgeBase] ?? '',
    setDraft(knowledgeBase: string, text: string): void {
      if (text === '') delete remembered.drafts[knowledgeBase];
      else remembered.drafts[knowledgeBase] = text;
      save();
    },
  };
}

function parse(saved: string | null | undefined): Remembered {
  const read = attempt(() => JSON.parse(saved ?? '{}') as unknown);
  const object = (typeof read === 'object' && read !== null ? read : {}) as Partial<Remembered>;
  return {
    ...(typeof object.knowledgeBase === 'string' ? { knowledgeBase: object.knowledgeBase } : {}),
    conversations: { ...object.conversations },
    drafts: { ...object.drafts },
  };
}

function attempt<Value>(action: () => Value): Value | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
