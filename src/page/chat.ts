import type { Answer, AskbaseClient } from '../client/askbase-client.js';
import { AskbaseError } from '../client/askbase-error.js';
import type { AnswerFrame, StoredMessage } from '../client/protocol.js';
import { type AnswerState, EMPTY_ANSWER, isRunning, withFrame } from './answer-state.js';
import type { Api } from './api.js';
import type { FeedbackInput } from './feedback-view.js';
import type { Session } from './session.js';

/** One question and its answer. Replaced, never changed. */
export interface Exchange {
  /** Names it on this page. */
  key: number;
  question: string;
  /** Known once the server took the question. */
  messageId?: string;
  answer: AnswerState;
  feedback?: 'up' | 'down';
}

/** The open conversation of one knowledge base. */
export interface Room {
  readonly knowledgeBase: string;
  conversationId: string | undefined;
  exchanges: readonly Exchange[];
  loading: 'done' | 'running' | 'failed';
}

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
  const answers = new Map<number, Answer>();
  const stopWanted = new Set<number>();
  let current: Room | undefined;
  let keys = 0;

  client.onConnectionChange((connected) => {
    if (connected) for (const key of stopWanted) void stopAnswer(key);
  });

  function open(knowledgeBase: string): void {
    session.setKnowledgeBase(knowledgeBase);
    const known = rooms.get(knowledgeBase);
    current = known ?? createRoom(knowledgeBase, session.conversation(knowledgeBase));
    if (known === undefined && current.conversationId !== undefined) void restore(current);
    onChange();
  }

  function createRoom(knowledgeBase: string, conversationId: string | undefined): Room {
    const room: Room = { knowledgeBase, conversationId, exchanges: [], loading: 'done' };
    rooms.set(knowledgeBase, room);
    return room;
  }

  function newConversation(): void {
    if (current === undefined) return;
    void stop();
    session.setConversation(current.knowledgeBase, undefined);
    current = createRoom(current.knowledgeBase, undefined);
    onChange();
  }

  /** Loads the messages of before; an answer that still runs goes on. */
  async function restore(room: Room): Promise<void> {
    if (room.conversationId === undefined) return;
    room.loading = 'running';
    onChange();
    try {
      const messages = await api.readConversation(room.conversationId);
      const exchanges = await Promise.all(messages.map(restoreExchange));
      room.exchanges = [...exchanges, ...room.exchanges];
      room.loading = 'done';
      for (const [index, { status }] of messages.entries()) {
        if (status === 'running') void goOn(room, exchanges[index] as Exchange);
      }
    } catch (thrown) {
      if (thrown instanceof AskbaseError && thrown.code === 'not-found') forget(room);
      else room.loading = 'failed';
    }
    onChange();
  }

  async function restoreExchange({ messageId, question, status }: StoredMessage): Promise<Exchange> {
    const frames = status === 'running' ? [] : await api.readFrames(messageId);
    return { key: keys++, question, messageId, answer: frames.reduce(withFrame, EMPTY_ANSWER) };
  }

  /** The server no longer has the conversation: the next question starts another. */
  function forget(room: Room): void {
    room.conversationId = undefined;
    room.loading = 'done';
    session.setConversation(room.knowledgeBase, undefined);
  }

  async function goOn(room: Room, { key, messageId = '' }: Exchange): Promise<void> {
    const { conversationId = '' } = room;
    await follow(room, key, () => client.resume({ conversationId, messageId, lastSeq: -1 }));
  }

  async function ask(question: string): Promise<void> {
    const room = current;
    if (room === undefined || isBusy(room)) return;
    const key = keys++;
    room.exchanges = [...room.exchanges, { key, question, answer: EMPTY_ANSWER }];
    // Until the server has the question, a reload puts it back where it was written.
    session.setDraft(room.knowledgeBase, question);
    onChange();
    await follow(room, key, async () => {
      const { knowledgeBase, conversationId } = room;
      const answer = await client.ask({
        knowledgeBase,
        text: question,
        ...(conversationId === undefined ? {} : { conversationId }),
      });
      accept(room, key, answer);
      return answer;
    });
  }

  function accept(room: Room, key: number, { position }: Answer): void {
    const { knowledgeBase } = room;
    room.conversationId = position.conversationId;
    if (rooms.get(knowledgeBase) === room) session.setConversation(knowledgeBase, position.conversationId);
    const question = room.exchanges.find((exchange) => exchange.key === key)?.question;
    if (session.draft(knowledgeBase) === question) session.setDraft(knowledgeBase, '');
    change(room, key, (exchange) => ({ ...exchange, messageId: position.messageId }));
  }

  async function follow(room: Room, key: number, start: () => Promise<Answer>): Promise<void> {
    try {
      const answer = await start();
      answers.set(key, answer);
      if (stopWanted.has(key)) void stopAnswer(key);
      for await (const frame of answer) take(room, key, frame);
    } catch (thrown) {
      fail(room, key, thrown);
    } finally {
      answers.delete(key);
      stopWanted.delete(key);
    }
  }

  function take(room: Room, key: number, frame: AnswerFrame): void {
    change(room, key, (exchange) => ({ ...exchange, answer: withFrame(exchange.answer, frame) }));
  }

  function fail(room: Room, key: number, thrown: unknown): void {
    if (!(thrown instanceof AskbaseError)) throw thrown;
    const { message, retryAfterSeconds } = thrown;
    const code = client.connected ? thrown.code : 'unreachable';
    const error = { code, message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
    if (code === 'not-found') forget(room);
    change(room, key, (exchange) => ({
      ...exchange,
      answer: { ...exchange.answer, phase: 'failed', error },
    }));
  }

  function change(room: Room, key: number, changed: (exchange: Exchange) => Exchange): void {
    room.exchanges = room.exchanges.map((exchange) => (exchange.key === key ? changed(exchange) : exchange));
    if (room === current) onChange();
  }

  /** Asks the same again; a question that never reached the server does not stay behind. */
  async function askAgain({ key, question, messageId }: Exchange): Promise<void> {
    const room = current;
    if (room === undefined || isBusy(room)) return;
    if (messageId === undefined) room.exchanges = room.exchanges.filter((exchange) => exchange.key !== key);
    await ask(question);
  }

  async function stop(): Promise<void> {
    const running = current?.exchanges.find(({ answer }) => isRunning(answer));
    if (running !== undefined) await stopAnswer(running.key);
  }

  /** A stop that cannot be sent now is sent as soon as there is a connection, or an answer to stop. */
  async function stopAnswer(key: number): Promise<void> {
    stopWanted.add(key);
    try {
      await answers.get(key)?.stop();
    } catch (thrown) {
      if (!(thrown instanceof AskbaseError)) throw thrown;
    }
  }

  async function giveFeedback(exchange: Exchange, feedback: FeedbackInput): Promise<boolean> {
    const room = current;
    if (room === undefined || exchange.messageId === undefined) return false;
    try {
      await client.giveFeedback({ messageId: exchange.messageId, ...feedback });
      change(room, exchange.key, (latest) => ({ ...latest, feedback: feedback.verdict }));
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
    restore,
    ask,
    askAgain,
    stop,
    giveFeedback,
  };
}

/** Whether an answer of the room is under way. */
export function isBusy({ exchanges }: Room): boolean {
  return exchanges.some(({ answer }) => isRunning(answer));
}
