import type { Socket } from 'socket.io-client';
import type { AskbaseError } from './askbase-error.js';
import type { ConversationHandling, Handled, Handling, OperatorMessage, VisitorMessage } from './protocol.js';

export interface ConversationWatcher {
  /** Who answers there and what people wrote: at once, at every change, and anew after a lost connection. */
  onHandling(now: ConversationHandling): void;
  /** It is not there for this client, or the server could not say. */
  onRefusal?(error: AskbaseError): void;
}

export interface HandoffsWatcher {
  /** Conversations that wait for a person or have one: at once, and anew after a lost connection. */
  onList(handoffs: readonly Handled[]): void;
  /** One of them, or a new one, or one that the assistant has again. */
  onChange(changed: Handled): void;
  /** A question in one of them; the frames of its answer can be followed by `resume`. */
  onQuestion(question: VisitorMessage): void;
  onRefusal(error: AskbaseError): void;
}

/** What those who talk with people, and these people, see and do. Every promise throws AskbaseError. */
export interface HandoffClient {
  /** Returns what ends it. */
  watchConversation(conversationId: string, watcher: ConversationWatcher): () => void;
  /** Returns what ends it. Needs the scope `operate`. */
  watchHandoffs(watcher: HandoffsWatcher): () => void;
  /** `operator` is the name that is shown. `conflict` where somebody else has it. Needs the scope `operate`. */
  takeOver(conversationId: string, operator: string): Promise<Handling>;
  /** Gives it back to the assistant. `conflict` where nobody has it. Needs the scope `operate`. */
  release(conversationId: string): Promise<Handling>;
  /** `conflict` where nobody has taken it over. Needs the scope `operate`. */
  writeAsOperator(conversationId: string, text: string): Promise<OperatorMessage>;
}

/** Emits an event and resolves to what `accept` makes of its ack. */
export type Request = <Reply, Result>(
  event: string,
  payload: object,
  accept: (reply: Reply) => Result,
) => Promise<Result>;

export function createHandoffClient(socket: Socket, request: Request): HandoffClient {
  /** Rooms belong to a connection: `join` runs now and at every later one. */
  const watch = (
    join: () => Promise<void>,
    onRefusal: ((error: AskbaseError) => void) | undefined,
    listeners: Record<string, (payload: never) => void>,
  ): (() => void) => {
    const joinOrSay = (): void => void join().catch((thrown: AskbaseError) => onRefusal?.(thrown));
    const all = { connect: joinOrSay, ...listeners };
    for (const [event, listener] of Object.entries(all)) socket.on(event, listener);
    if (socket.connected) joinOrSay();
    return () => {
      for (const [event, listener] of Object.entries(all)) socket.off(event, listener);
    };
  };

  return {
    watchConversation(conversationId, { onHandling, onRefusal }) {
      let handling: Handling | undefined;
      let operatorMessages: readonly OperatorMessage[] = [];
      const show = (): void => {
        if (handling !== undefined) onHandling({ handling, operatorMessages });
      };
      // What happens while the state is read may come before it.
      const join = (): Promise<void> =>
        request('conversation-watch', { conversationId }, (read: ConversationHandling) => {
          handling = later(read.handling, handling);
          operatorMessages = operatorMessages.reduce(withMessage, read.operatorMessages);
          show();
        });
      return watch(join, onRefusal, {
        'handling-changed': (changed: Handled) => {
          if (changed.conversationId !== conversationId) return;
          handling = changed.handling;
          show();
        },
        'operator-message': (message: OperatorMessage) => {
          if (message.conversationId !== conversationId) return;
          operatorMessages = withMessage(operatorMessages, message);
          show();
        },
      });
    },
    watchHandoffs({ onList, onChange, onQuestion, onRefusal }) {
      const join = (): Promise<void> =>
        request('handoffs-watch', {}, ({ handoffs }: { handoffs: Handled[] }) => onList(handoffs));
      return watch(join, onRefusal, { 'handling-changed': onChange, 'visitor-message': onQuestion });
    },
    takeOver: (conversationId, operator) =>
      request('conversation-takeover', { conversationId, operator }, readHandling),
    release: (conversationId) => request('conversation-release', { conversationId }, readHandling),
    writeAsOperator: (conversationId, text) =>
      request(
        'operator-write',
        { conversationId, text },
        ({ message }: { message: OperatorMessage }) => message,
      ),
  };
}

function readHandling({ handling }: { handling: Handling }): Handling {
  return handling;
}

function later(read: Handling, told: Handling | undefined): Handling {
  return told !== undefined && told.since > read.since ? told : read;
}

function withMessage(
  messages: readonly OperatorMessage[],
  added: OperatorMessage,
): readonly OperatorMessage[] {
  const known = messages.some(({ operatorMessageId }) => operatorMessageId === added.operatorMessageId);
  return known ? messages : [...messages, added];
}
