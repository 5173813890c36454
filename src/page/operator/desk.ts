import type { AskbaseClient } from '../../client/askbase-client.js';
import { AskbaseError } from '../../client/askbase-error.js';
import type { Handled, VisitorMessage } from '../../client/protocol.js';
import type { Api } from '../api.js';
import { createRoom, type Room } from '../room.js';

/** A conversation in the list. */
export interface ListedConversation extends Handled {
  /** Its first question; undefined until it is known. */
  title: string | undefined;
  /** Something was written there since it was last looked at. */
  unread: boolean;
}

export interface DeskOptions {
  client: AskbaseClient;
  api: Api;
  onChange: () => void;
  /** A conversation begins to wait, or something is written in one that is not open. */
  onNews: (news: { waiting: ListedConversation } | { question: VisitorMessage }) => void;
}

export type Desk = ReturnType<typeof createDesk>;

/** The conversations that wait for a person or have one, and the one that is open. */
export function createDesk({ client, api, onChange, onNews }: DeskOptions) {
  let handoffs: readonly Handled[] = [];
  let titles = new Map<string, string>();
  const unread = new Set<string>();
  let room: Room | undefined;
  let refusal: string | undefined;
  let problem: string | undefined;

  client.watchHandoffs({
    onList(list) {
      handoffs = list;
      refusal = undefined;
      onChange();
      void readTitles();
      void room?.restore();
    },
    onChange(changed) {
      handoffs = [...without(changed.conversationId), ...(isForPeople(changed) ? [changed] : [])];
      onChange();
      if (changed.handling.state === 'waiting') {
        void readTitles().then(() => onNews({ waiting: listed(changed) }));
      }
      if (changed.conversationId === room?.conversationId) void room.restore();
    },
    onQuestion(question) {
      const { conversationId } = question;
      if (conversationId === room?.conversationId) void room.restore();
      else unread.add(conversationId);
      onNews({ question });
      onChange();
    },
    onRefusal({ code }) {
      refusal = code;
      onChange();
    },
  });

  /** The list says who waits, not for what. */
  async function readTitles(): Promise<void> {
    if (handoffs.every(({ conversationId }) => titles.has(conversationId))) return;
    try {
      const conversations = await api.listConversations();
      titles = new Map(conversations.map(({ conversationId, title }) => [conversationId, title]));
      onChange();
    } catch (thrown) {
      if (!(thrown instanceof AskbaseError)) throw thrown;
    }
  }

  function without(conversationId: string): Handled[] {
    return handoffs.filter((handled) => handled.conversationId !== conversationId);
  }

  function listed(handled: Handled): ListedConversation {
    const { conversationId } = handled;
    return { ...handled, title: titles.get(conversationId), unread: unread.has(conversationId) };
  }

  function setProblem(code: string | undefined): void {
    problem = code;
    onChange();
  }

  function open({ conversationId, knowledgeBase }: Handled): void {
    close();
    unread.delete(conversationId);
    room = createRoom({
      client,
      api,
      knowledgeBase,
      conversationId,
      onChange,
      onGone: () => setProblem('not-found'),
    });
    void room.restore();
    onChange();
  }

  function close(): void {
    room?.close();
    room = undefined;
    setProblem(undefined);
  }

  /** Does something in the open conversation; false where the server did not let it. */
  async function act(action: (conversationId: string) => Promise<unknown>): Promise<boolean> {
    if (room?.conversationId === undefined) return false;
    try {
      await action(room.conversationId);
      setProblem(undefined);
      return true;
    } catch (thrown) {
      if (!(thrown instanceof AskbaseError)) throw thrown;
      setProblem(thrown.code);
      return false;
    }
  }

  return {
    /** Those that wait first, each group in the order in which it began. */
    get conversations(): ListedConversation[] {
      const place = ({ handling }: Handled): string =>
        `${handling.state === 'waiting' ? 0 : 1} ${handling.since}`;
      return [...handoffs].sort((a, b) => (place(a) < place(b) ? -1 : 1)).map(listed);
    },
    get room(): Room | undefined {
      return room;
    },
    /** Its first question. */
    get title(): string | undefined {
      return room?.exchanges[0]?.question;
    },
    /** Code of why there is no list. */
    get refusal(): string | undefined {
      return refusal;
    },
    /** Code of why the last thing that was done in the open conversation did not work. */
    get problem(): string | undefined {
      return problem;
    },
    open,
    close,
    takeOver: (operator: string) => act((conversationId) => client.takeOver(conversationId, operator)),
    release: () => act((conversationId) => client.release(conversationId)),
    reply: (text: string) => act((conversationId) => client.writeAsOperator(conversationId, text)),
  };
}

function isForPeople({ handling }: Handled): boolean {
  return handling.state !== 'assistant';
}
