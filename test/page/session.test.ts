import { describe, expect, it } from 'vitest';
import { createSession } from '../../src/page/session.js';

function memoryStorage(): Pick<Storage, 'getItem' | 'setItem'> {
  const values = new Map<string, string>();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
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

  it('works where the browser refuses storage, and where something else wrote there', () => {
    const refuse = (): never => {
      throw new Error('SecurityError');
    };
    const refused = createSession(refuse, refuse);
    refused.setConversation('shop', 'c-1');
    expect(refused.conversation('shop')).toBe('c-1');
    expect(refused.language()).toBeNull();

    const strange = { getItem: () => '[not json', setItem: () => undefined };
    expect(createSession(() => strange, memoryStorage).draft('shop')).toBe('');
  });
});
