import { describe, expect, it } from 'vitest';
import { createSession } from '../../src/page/session.js';

function memoryStorage(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const values = new Map<string, string>();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}

describe('what a tab remembers', () => {
  it('is there again after a reload', () => {
    const tab = memoryStorage();
    const browser = memoryStorage();
    const before = createSession(
      () => tab,
      () => browser,
    );
    before.setKnowledgeBase('shop');
    before.setConversation('shop', 'c-1');
    before.setConversation('health', 'c-2');
    before.setConversation('health', undefined);
    before.setDraft('shop', 'half a question');
    before.setLanguage('zh');

    const after = createSession(
      () => tab,
      () => browser,
    );
    expect(after.knowledgeBase()).toBe('shop');
    expect(after.conversation('shop')).toBe('c-1');
    expect(after.conversation('health')).toBeUndefined();
    expect(after.draft('shop')).toBe('half a question');
    expect(after.language()).toBe('zh');
  });

  it('leaves conversations to their tab, and takes language and knowledge base along to a new one', () => {
    const browser = memoryStorage();
    const first = createSession(memoryStorage, () => browser);
    first.setKnowledgeBase('shop');
    first.setConversation('shop', 'c-1');
    const second = createSession(memoryStorage, () => browser);
    expect(second.knowledgeBase()).toBe('shop');
    expect(second.conversation('shop')).toBeUndefined();
  });

  it('keeps an API key in the tab, in the browser only on request, and nowhere once it is forgotten', () => {
    const tab = memoryStorage();
    const browser = memoryStorage();
    const open = (own = tab) =>
      createSession(
        () => own,
        () => browser,
      );
    open().setApiKey('ask_1', { remember: false });
    expect(open().apiKey()).toBe('ask_1');
    expect(open(memoryStorage()).apiKey()).toBeUndefined();
    open().setApiKey('ask_2', { remember: true });
    expect([open().apiKey(), open(memoryStorage()).apiKey()]).toEqual(['ask_2', 'ask_2']);
    open().setApiKey('ask_3', { remember: false });
    expect([open().apiKey(), open(memoryStorage()).apiKey()]).toEqual(['ask_3', undefined]);
    open().forgetApiKey();
    expect(open().apiKey()).toBeUndefined();
  });

  it('works where the browser refuses storage, and where something else wrote there', () => {
    const refuse = (): never => {
      throw new Error('SecurityError');
    };
    const refused = createSession(refuse, refuse);
    refused.setConversation('shop', 'c-1');
    expect(refused.conversation('shop')).toBe('c-1');
    expect(refused.language()).toBeUndefined();
    refused.setApiKey('ask_1', { remember: true });
    expect(refused.apiKey()).toBe('ask_1');

    const strange = { getItem: () => '[not json', setItem: () => undefined, removeItem: () => undefined };
    expect(createSession(() => strange, memoryStorage).draft('shop')).toBe('');
  });
});
