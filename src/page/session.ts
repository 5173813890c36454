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
const API_KEY_KEY = 'askbase-api-key';
const OPERATOR_KEY = 'askbase-operator';

type Memory = () => Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

export type Session = ReturnType<typeof createSession>;

/**
 * Remembers in the tab (conversations, drafts, API key) and in the browser (language, last knowledge base, an operator's
 * name, and the key where that is wanted). A browser that refuses storage is no error: then nothing is remembered.
 */
export function createSession(tab: Memory, browser: Memory) {
  const remembered = parse(attempt(() => tab().getItem(KEY)));
  const read = (from: Memory, key: string): string | undefined =>
    attempt(() => from().getItem(key)) ?? undefined;
  let apiKey = read(tab, API_KEY_KEY) ?? read(browser, API_KEY_KEY);
  const save = (): void => {
    attempt(() => tab().setItem(KEY, JSON.stringify(remembered)));
  };
  return {
    language: (): string | undefined => read(browser, LANGUAGE_KEY),
    setLanguage(language: string): void {
      attempt(() => browser().setItem(LANGUAGE_KEY, language));
    },
    knowledgeBase: (): string | undefined => remembered.knowledgeBase ?? read(browser, KNOWLEDGE_BASE_KEY),
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
    /** What is sent to the server as `Authorization: Bearer`. */
    apiKey: (): string | undefined => apiKey,
    /** `remember`: also after the tab is closed. */
    setApiKey(key: string, { remember }: { remember: boolean }): void {
      this.forgetApiKey();
      apiKey = key;
      attempt(() => (remember ? browser() : tab()).setItem(API_KEY_KEY, key));
    },
    forgetApiKey(): void {
      apiKey = undefined;
      for (const memory of [tab, browser]) attempt(() => memory().removeItem(API_KEY_KEY));
    },
    operatorName: (): string => read(browser, OPERATOR_KEY) ?? '',
    setOperatorName(name: string): void {
      attempt(() => browser().setItem(OPERATOR_KEY, name));
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
