import type { AskbaseClient } from '../client/askbase-client.js';
import { AskbaseError } from '../client/askbase-error.js';
import type { Api } from './api.js';
import type { FeedbackInput } from './feedback-view.js';
import { createRoom, type Exchange, isBusy, type Room } from './room.js';
import type { Session } from './session.js';

export interface ChatOptions {
  client: AskbaseClient;
  api: Api;
  session: Session;
  /** Called whenever the current room may have changed. */
  onChange: () => void;
}

/** The conversations of this page: one open room per knowledge base, answers that go on while another is looked at. */
export function createChat({ client, api, session, onChange }: ChatOptions) {
  const rooms = new Map<string, Room>();
  let current: Room | undefined;

  function open(knowledgeBase: string): void {
    session.setKnowledgeBase(knowledgeBase);
    const known = rooms.get(knowledgeBase);
    current = known ?? enter(knowledgeBase, session.conversation(knowledgeBase));
    if (known === undefined) void current.restore();
    onChange();
  }

  function enter(knowledgeBase: string, conversationId: string | undefined): Room {
    const isOpen = (room: Room): boolean => rooms.get(knowledgeBase) === room;
    const room = createRoom({
      client,
      api,
      knowledgeBase,
      conversationId,
      onChange: (changed) => changed === current && onChange(),
      onAccepted(asked, question) {
        if (isOpen(asked)) session.setConversation(knowledgeBase, asked.conversationId);
        if (session.draft(knowledgeBase) === question) session.setDraft(knowledgeBase, '');
      },
      onGone: (gone) => isOpen(gone) && session.setConversation(knowledgeBase, undefined),
    });
    rooms.set(knowledgeBase, room);
    return room;
  }

  function newConversation(): void {
    if (current === undefined) return;
    const { knowledgeBase } = current;
    void current.stop();
    current.close();
    session.setConversation(knowledgeBase, undefined);
    current = enter(knowledgeBase, undefined);
    onChange();
  }

  async function ask(question: string, images: readonly string[] = []): Promise<void> {
    const room = current;
    if (room === undefined || isBusy(room)) return;
    // Until the server has the question, a reload puts it back where it was written.
    session.setDraft(room.knowledgeBase, question);
    await room.ask(question, images);
  }

  /** Asks for another version of the answer; a question that never reached the server does not stay behind. */
  async function askAgain(exchange: Exchange): Promise<void> {
    if (current === undefined || isBusy(current)) return;
    const { question, images, messageId, versionOf = messageId } = exchange;
    if (messageId === undefined) current.remove(exchange);
    if (versionOf === undefined) await ask(question, images);
    else await current.ask(question, images, { versionOf });
  }

  async function giveFeedback(exchange: Exchange, feedback: FeedbackInput): Promise<boolean> {
    const room = current;
    if (room === undefined || exchange.messageId === undefined) return false;
    try {
      await client.giveFeedback({ messageId: exchange.messageId, ...feedback });
      room.changeFeedback(exchange, feedback.verdict);
      return true;
    } catch (thrown) {
      if (!(thrown instanceof AskbaseError)) throw thrown;
      return false;
    }
  }

  return {
    get room(): Room | undefined {
      return current;
    },
    open,
    newConversation,
    ask,
    askAgain,
    stop: async (): Promise<void> => current?.stop(),
    giveFeedback,
  };
}
