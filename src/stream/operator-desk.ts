import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { AppError } from '../errors.js';
import type { FrameBody } from '../frames.js';
import {
  type ConversationHandling,
  HANDOFF_REASONS,
  type Handled,
  type Handling,
  type HandoffReason,
  type OperatorMessage,
} from '../handling.js';
import { detectLanguage } from '../language.js';
import type { Ask } from '../pipeline.js';
import type { ConversationStore } from '../store/conversation-store.js';
import type { HandoffStore } from '../store/handoff-store.js';
import type { AnswerRelay } from './answer-relay.js';
import type { Pipeline } from './run-answer.js';

/** A question in a conversation that waits for a person or has one. */
export interface VisitorMessage {
  conversationId: string;
  knowledgeBase: string;
  messageId: string;
  text: string;
  askedAt: string;
}

/** What is told to those who look at a conversation. */
export interface DeskEvents {
  'handling-changed': [Handled];
  'operator-message': [OperatorMessage];
  'visitor-message': [VisitorMessage];
}

export interface OperatorDeskOptions {
  handoffs: HandoffStore;
  conversations: Pick<ConversationStore, 'readConversation' | 'readFrames' | 'ownerOfConversation'>;
  /** Reaches the answers that other servers write, where there are any. */
  relay?: Pick<AnswerRelay, 'askToStop'>;
  now?: () => Date;
}

/** Where people take over conversations: while one has it, the assistant is silent there. */
export interface OperatorDesk {
  readonly events: EventEmitter<DeskEvents>;
  /**
   * The same pipeline with people in it: a question in a conversation that a person has goes to that person, a wish for
   * one makes the conversation wait, and so do several questions without an answer.
   */
  attend(pipeline: Pipeline): Pipeline;
  /** Throws `not-found`; `conflict` where somebody else has it. Stops what the assistant is writing there. */
  takeOver(conversationId: string, operator: string): Promise<Handling>;
  /** Gives it back to the assistant. Throws `not-found`, `conflict` where nobody has it. */
  release(conversationId: string): Promise<Handling>;
  /** Throws `not-found`; `conflict` where nobody has taken it over. */
  write(conversationId: string, text: string): Promise<OperatorMessage>;
  read(conversationId: string): Promise<ConversationHandling>;
  list(options: { limit: number }): ReturnType<HandoffStore['listHandled']>;
}

export function createOperatorDesk(options: OperatorDeskOptions): OperatorDesk {
  const { handoffs, conversations, relay, now = () => new Date() } = options;
  const events = new EventEmitter<DeskEvents>();
  /** Answers of the assistant that are being written, by conversation. */
  const writing = new Map<string, Set<AbortController>>();

  const change = async (
    conversationId: string,
    from: readonly Handling['state'][],
    to: Omit<Handling, 'since'>,
  ): Promise<Handling> => {
    const handling = await handoffs.changeHandling(conversationId, from, {
      ...to,
      since: now().toISOString(),
    });
    if (handling.state === to.state) {
      const belonging = await conversations.ownerOfConversation(conversationId);
      const knowledgeBase = belonging?.knowledgeBase ?? '';
      events.emit('handling-changed', { conversationId, knowledgeBase, handling });
    }
    return handling;
  };

  /** What other servers write there, this one cannot abort. */
  const stopElsewhere = async (conversationId: string): Promise<void> => {
    if (relay === undefined) return;
    const messages = (await conversations.readConversation(conversationId)) ?? [];
    const running = messages.filter(({ status }) => status === 'running');
    await Promise.all(running.map(({ messageId }) => relay.askToStop(messageId)));
  };

  /** Whether the questions before this one had no answer either, so many in all. */
  const isRepeated = async ({ conversationId, messageId, knowledgeBase }: Ask): Promise<boolean> => {
    const wanted = knowledgeBase.handoff?.afterNoAnswers ?? 0;
    if (wanted === 0) return false;
    const messages = (await conversations.readConversation(conversationId)) ?? [];
    const place = messages.findIndex((message) => message.messageId === messageId);
    const before = messages.slice(0, place === -1 ? undefined : place).slice(-(wanted - 1));
    if (wanted > 1 && before.length < wanted - 1) return false;
    const finals = await Promise.all(
      (wanted > 1 ? before : []).map(async (message) =>
        (await conversations.readFrames(message.messageId, -1))?.at(-1),
      ),
    );
    return finals.every((frame) => frame !== undefined && foundNothing(frame));
  };

  async function* askAssistant(
    pipeline: Pipeline,
    ask: Ask,
    { signal }: { signal: AbortSignal },
  ): AsyncGenerator<FrameBody> {
    const { conversationId } = ask;
    const takenOver = new AbortController();
    const here = writing.get(conversationId) ?? new Set();
    writing.set(conversationId, here.add(takenOver));
    const wait = (reason: HandoffReason): Promise<Handling | undefined> =>
      change(conversationId, ['assistant'], { state: 'waiting', reason }).catch(() => undefined);
    let handedOff = false;
    try {
      for await (const frame of pipeline(ask, { signal: AbortSignal.any([signal, takenOver.signal]) })) {
        if (frame.type === 'handoff-requested') {
          handedOff = true;
          await wait(HANDOFF_REASONS.find((reason) => reason === frame.reason) ?? 'asked');
        }
        if (!handedOff && foundNothing(frame) && (await isRepeated(ask))) {
          await wait('repeated-no-answer');
          yield { type: 'handoff-requested', reason: 'repeated-no-answer' };
        }
        yield frame;
      }
    } finally {
      here.delete(takenOver);
      if (here.size === 0) writing.delete(conversationId);
    }
  }

  return {
    events,
    attend: (pipeline) =>
      async function* attended(ask, answerOptions) {
        const { conversationId, messageId, text } = ask;
        const knowledgeBase = ask.knowledgeBase.id;
        const { state = 'assistant' } = (await handoffs.readHandling(conversationId)) ?? {};
        if (state !== 'assistant') {
          const askedAt = now().toISOString();
          events.emit('visitor-message', { conversationId, knowledgeBase, messageId, text, askedAt });
        }
        yield* state === 'operator' ? passOn(ask) : askAssistant(pipeline, ask, answerOptions);
      },
    async takeOver(conversationId, operator) {
      const handling = await change(conversationId, ['assistant', 'waiting'], {
        state: 'operator',
        operator,
      });
      if (handling.operator !== operator) {
        throw new AppError('conflict', 'Somebody else has taken this conversation over.');
      }
      for (const answer of writing.get(conversationId) ?? []) {
        answer.abort(new AppError('stopped', 'A person has taken over.'));
      }
      await stopElsewhere(conversationId);
      return handling;
    },
    async release(conversationId) {
      const before = await handoffs.readHandling(conversationId);
      const handling = await change(conversationId, ['operator', 'waiting'], { state: 'assistant' });
      if (before === undefined || before.state === 'assistant') {
        throw new AppError('conflict', 'Nobody has taken this conversation over.');
      }
      return handling;
    },
    async write(conversationId, text) {
      const handling = await handoffs.readHandling(conversationId);
      if (handling?.state !== 'operator' || handling.operator === undefined) {
        throw new AppError('conflict', 'Take the conversation over before you write in it.');
      }
      const message = await handoffs.addOperatorMessage({
        operatorMessageId: randomUUID(),
        conversationId,
        operator: handling.operator,
        text,
        sentAt: now().toISOString(),
      });
      events.emit('operator-message', message);
      return message;
    },
    async read(conversationId) {
      const [handling, operatorMessages] = await Promise.all([
        handoffs.readHandling(conversationId),
        handoffs.readOperatorMessages(conversationId),
      ]);
      return { handling: handling ?? { state: 'assistant', since: '' }, operatorMessages };
    },
    list: (listOptions) => handoffs.listHandled(listOptions),
  };
}

function foundNothing(frame: FrameBody): boolean {
  return (
    frame.type === 'answer-completed' &&
    frame.status === 'no-answer' &&
    (frame.reason === 'no-hits' || frame.reason === 'below-threshold' || frame.reason === 'out-of-scope')
  );
}

/** The frames of a question that a person answers: the assistant says nothing. */
function* passOn({ text, knowledgeBase }: Ask): Generator<FrameBody> {
  yield {
    type: 'answer-started',
    question: { text, standalone: text, language: detectLanguage(text) },
    knowledgeBase: knowledgeBase.id,
    mode: 'operator',
  };
  yield {
    type: 'answer-completed',
    status: 'no-answer',
    reason: 'operator',
    text: '',
    citations: [],
    timings: {},
    degraded: [],
  };
}
