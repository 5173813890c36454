import type { Answer, AskbaseClient } from '../client/askbase-client.js';
import { AskbaseError } from '../client/askbase-error.js';
import type { AnswerFrame, Handling, OperatorMessage, StoredMessage } from '../client/protocol.js';
import { type AnswerState, EMPTY_ANSWER, isRunning, withFrame } from './answer-state.js';
import type { Api } from './api.js';

/** One question and its answer. Replaced, never changed. */
export interface Exchange {
  /** Names it on this page. */
  key: number;
  question: string;
  /** Data URLs of what was sent along from this page; the server keeps no images. */
  images: readonly string[];
  /** Known once the server took the question. */
  messageId?: string;
  /** Another version of the answer to this message, the first of its versions. */
  versionOf?: string;
  answer: AnswerState;
  feedback?: 'up' | 'down';
}

/** One conversation: what was asked and answered, and what people wrote. */
export interface Room {
  readonly knowledgeBase: string;
  readonly conversationId: string | undefined;
  readonly exchanges: readonly Exchange[];
  /** Who answers now; undefined until the server has said so. */
  readonly handling: Handling | undefined;
  readonly operatorMessages: readonly OperatorMessage[];
  readonly loading: 'done' | 'running' | 'failed';
  /** Reads what was said so far, and follows what is being written. Called again, it adds what is new. */
  restore(): Promise<void>;
  ask(question: string, images: readonly string[], options?: { versionOf?: string }): Promise<void>;
  /** Takes back a question that never reached the server. */
  remove(exchange: Exchange): void;
  /** Stops the answer that is under way, as soon as that can be sent. */
  stop(): Promise<void>;
  changeFeedback(exchange: Exchange, feedback: 'up' | 'down'): void;
  /** Hears no more who answers here. */
  close(): void;
}

export interface RoomOptions {
  client: AskbaseClient;
  api: Pick<Api, 'readConversation' | 'readFrames'>;
  knowledgeBase: string;
  /** Absent: the first question begins one. */
  conversationId: string | undefined;
  onChange: (room: Room) => void;
  /** The server took a question. */
  onAccepted?: (room: Room, question: string) => void;
  /** The server no longer has the conversation: the next question starts another. */
  onGone?: (room: Room) => void;
}

let keys = 0;

export function createRoom(options: RoomOptions): Room {
  const { client, api, knowledgeBase } = options;
  const answers = new Map<number, Answer>();
  const stopWanted = new Set<number>();
  let { conversationId } = options;
  let exchanges: readonly Exchange[] = [];
  let handling: Handling | undefined;
  let operatorMessages: readonly OperatorMessage[] = [];
  let loading: Room['loading'] = 'done';
  let reading: Promise<void> = Promise.resolve();
  let endWatch = (): void => undefined;

  const endConnection = client.onConnectionChange((connected) => {
    if (connected) for (const key of stopWanted) void stopAnswer(key);
  });
  const changed = (): void => options.onChange(room);

  async function read(): Promise<void> {
    if (conversationId === undefined) return;
    loading = exchanges.length === 0 ? 'running' : loading;
    changed();
    try {
      const messages = await api.readConversation(conversationId);
      const isKnown = ({ messageId }: StoredMessage): boolean =>
        exchanges.some((exchange) => exchange.messageId === messageId);
      const added = await Promise.all(messages.filter((message) => !isKnown(message)).map(restoreExchange));
      exchanges = inOrderOf(messages, [...added, ...exchanges]);
      loading = 'done';
      for (const exchange of added) if (exchange.answer === EMPTY_ANSWER) void goOn(exchange);
    } catch (thrown) {
      if (thrown instanceof AskbaseError && thrown.code === 'not-found') forget();
      else loading = 'failed';
    }
    changed();
  }

  async function restoreExchange(message: StoredMessage): Promise<Exchange> {
    const { messageId, question, status, regenerates } = message;
    const frames = status === 'running' ? [] : await api.readFrames(messageId);
    const answer = frames.reduce(withFrame, EMPTY_ANSWER);
    const versionOf = regenerates === undefined ? {} : { versionOf: regenerates };
    return { key: keys++, question, images: [], messageId, ...versionOf, answer };
  }

  async function goOn({ key, messageId = '' }: Exchange): Promise<void> {
    const position = { conversationId: conversationId ?? '', messageId, lastSeq: -1 };
    await follow(key, () => client.resume(position));
  }

  function forget(): void {
    endWatch();
    conversationId = undefined;
    loading = 'done';
    options.onGone?.(room);
  }

  function watch(): void {
    if (conversationId === undefined) return;
    endWatch();
    endWatch = client.watchConversation(conversationId, {
      onHandling(now) {
        handling = now.handling;
        operatorMessages = now.operatorMessages;
        changed();
      },
    });
  }

  async function ask(
    question: string,
    images: readonly string[],
    version: { versionOf?: string } = {},
  ): Promise<void> {
    const key = keys++;
    exchanges = [...exchanges, { key, question, images, ...version, answer: EMPTY_ANSWER }];
    changed();
    await follow(key, async () => {
      const answer = await client.ask({
        knowledgeBase,
        text: question,
        ...(conversationId === undefined ? {} : { conversationId }),
        ...(conversationId === undefined || version.versionOf === undefined
          ? {}
          : { regenerates: version.versionOf }),
        ...(images.length === 0 ? {} : { images }),
      });
      accept(key, answer);
      options.onAccepted?.(room, question);
      return answer;
    });
  }

  function accept(key: number, { position }: Answer): void {
    const isNew = position.conversationId !== conversationId;
    conversationId = position.conversationId;
    if (isNew) watch();
    change(key, (exchange) => ({ ...exchange, messageId: position.messageId }));
  }

  async function follow(key: number, start: () => Promise<Answer>): Promise<void> {
    try {
      const answer = await start();
      answers.set(key, answer);
      if (stopWanted.has(key)) void stopAnswer(key);
      for await (const frame of answer) take(key, frame);
    } catch (thrown) {
      fail(key, thrown);
    } finally {
      answers.delete(key);
      stopWanted.delete(key);
    }
  }

  function take(key: number, frame: AnswerFrame): void {
    change(key, (exchange) => ({ ...exchange, answer: withFrame(exchange.answer, frame) }));
  }

  function fail(key: number, thrown: unknown): void {
    if (!(thrown instanceof AskbaseError)) throw thrown;
    const { message, retryAfterSeconds } = thrown;
    const code = !client.connected && thrown.code === 'unavailable' ? 'unreachable' : thrown.code;
    const error = { code, message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
    if (code === 'not-found') forget();
    change(key, (exchange) => ({ ...exchange, answer: { ...exchange.answer, phase: 'failed', error } }));
  }

  function change(key: number, next: (exchange: Exchange) => Exchange): void {
    exchanges = exchanges.map((exchange) => (exchange.key === key ? next(exchange) : exchange));
    changed();
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

  const room: Room = {
    knowledgeBase,
    get conversationId() {
      return conversationId;
    },
    get exchanges() {
      return exchanges;
    },
    get handling() {
      return handling;
    },
    get operatorMessages() {
      return operatorMessages;
    },
    get loading() {
      return loading;
    },
    restore() {
      reading = reading.then(read);
      return reading;
    },
    ask,
    remove({ key }) {
      exchanges = exchanges.filter((exchange) => exchange.key !== key);
      changed();
    },
    async stop() {
      const running = exchanges.find(({ answer }) => isRunning(answer));
      if (running !== undefined) await stopAnswer(running.key);
    },
    changeFeedback: ({ key }, feedback) => change(key, (exchange) => ({ ...exchange, feedback })),
    close() {
      endWatch();
      if (stopWanted.size === 0) endConnection();
    },
  };
  watch();
  return room;
}

/** Whether an answer of the room is under way. */
export function isBusy({ exchanges }: Room): boolean {
  return exchanges.some(({ answer }) => isRunning(answer));
}

/** Those the server has, as it has them; behind them those that it does not have yet. */
function inOrderOf(messages: readonly StoredMessage[], exchanges: readonly Exchange[]): Exchange[] {
  const placeOf = ({ messageId }: Exchange): number => {
    const place = messages.findIndex((message) => message.messageId === messageId);
    return place === -1 ? messages.length : place;
  };
  return [...exchanges].sort((a, b) => placeOf(a) - placeOf(b));
}
