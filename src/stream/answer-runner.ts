import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { countTokens } from '../count-tokens.js';
import { AppError } from '../errors.js';
import { createFlushClock, type FlushClock } from '../flush-clock.js';
import { type AnswerFrame, isFinalFrame } from '../frames.js';
import { type Identity, LOCAL_IDENTITY } from '../identity/identity.js';
import type { Ask } from '../pipeline.js';
import type { ConversationStore } from '../store/conversation-store.js';
import type { Logger } from '../telemetry/logger.js';
import { type Caller, currentCaller, onBehalfOf } from '../telemetry/request-context.js';
import type { Turn } from '../types.js';
import { requireVisible } from './access.js';
import type { AnswerQuota } from './answer-quota.js';
import type { AnswerRelay } from './answer-relay.js';
import { askSchema } from './ask.js';
import { createBell } from './bell.js';
import { followElsewhere } from './follow-elsewhere.js';
import type { KnowledgeBases } from './knowledge-bases.js';
import { parseInput } from './parse-input.js';
import { type Pipeline, runAnswer } from './run-answer.js';
import { type FollowOptions, RunningAnswer, type ShowFrame } from './running-answer.js';

export interface AnswerLimits {
  /** Answers at a time in this process; one more is refused with `overloaded`. */
  running: number;
  /** Earlier turns handed to the pipeline. */
  turns: number;
  /** Messages of a conversation; one more is refused with `conflict`. */
  conversationMessages: number;
  /** How long an answer that nobody follows goes on. */
  graceMs: number;
  /** How long a stopped pipeline may take to end before its answer is ended without it. */
  stopMs: number;
}

const DEFAULT_LIMITS: AnswerLimits = {
  running: 256,
  turns: 10,
  conversationMessages: 500,
  graceMs: 60_000,
  stopMs: 1000,
};

/** How long another server may take to stop an answer. */
const STOP_ELSEWHERE_MS = 5000;

export interface AnswerRunnerOptions {
  pipeline: Pipeline;
  conversations: Pick<
    ConversationStore,
    | 'startMessage'
    | 'appendFrames'
    | 'readFrames'
    | 'readMessage'
    | 'readTurns'
    | 'readConversation'
    | 'ownerOfConversation'
  >;
  knowledgeBases: Pick<KnowledgeBases, 'get'>;
  logger: Logger;
  /** Absent: no other server shares the conversations. */
  relay?: AnswerRelay;
  /** Absent: a caller may ask as much as the server can. */
  quota?: AnswerQuota;
  limits?: Partial<AnswerLimits>;
  /** When text after the first is sent; its own where absent. */
  clock?: FlushClock;
  now?: () => Date;
}

export interface StartOptions {
  asker?: Identity;
  turns?: readonly Turn[];
}

export interface AnswerAddress {
  conversationId: string;
  messageId: string;
}

/** Runs answers in the background and shows their frames to whoever follows. A frame is shown once it is stored. */
export interface AnswerRunner {
  /**
   * Checks a question (`askSchema`), stores it and starts its answer. Throws AppError `invalid`, `not-found` (knowledge
   * base, conversation), `conflict`, `overloaded`, `too-many-requests` (the current caller's quota), `unavailable`
   * (draining), or what the store throws.
   *
   * @param options.asker whose conversation it is and which knowledge bases there are for it; on an open server
   *   everybody is the same one
   * @param options.turns replaces the turns of the stored conversation
   */
  start(input: unknown, options?: StartOptions): Promise<AnswerAddress>;
  /**
   * Stops an answer, wherever it is written; resolves once its final frame is out. False where it had ended before.
   * Throws `not-found`, or `timeout` where another server does not stop it in time.
   */
  stop(messageId: string): Promise<boolean>;
  /** Throws `not-found` where there is no such message. */
  find(messageId: string): Promise<AnswerAddress>;
  /**
   * Frames with `seq` greater than `afterSeq` (-1 gives all): those that are there, then those to come, in order, none
   * lost, none twice. Ends after the final frame, or quietly when the signal aborts. Throws `not-found`, or
   * `interrupted` where the message never got its final frame.
   */
  follow(messageId: string, afterSeq: number, options: FollowOptions): AsyncIterable<AnswerFrame>;
  /** The same, each frame handed to `show` in the turn in which it is there: for clients that are sent thousands a second. */
  deliver(messageId: string, afterSeq: number, show: ShowFrame, options: FollowOptions): Promise<void>;
  /** Whether this process writes the message. */
  isRunning(messageId: string): boolean;
  /** Answers running now. */
  readonly running: number;
  readonly draining: boolean;
  /** Refuses new questions, lets running answers end within the time, then ends them as `interrupted`. */
  drain(options: { timeoutMs: number }): Promise<void>;
}

export function createAnswerRunner(options: AnswerRunnerOptions): AnswerRunner {
  const { pipeline, conversations, knowledgeBases, logger, relay, quota } = options;
  const { clock = createFlushClock(), now = () => new Date() } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const answers = new Map<string, RunningAnswer>();
  const changed = createBell();
  let draining = false;

  /** Permit before work: the place is taken before the first await. */
  const admit = (conversationId = randomUUID() as string): RunningAnswer => {
    if (draining) throw new AppError('unavailable', 'The server is shutting down.', { retryAfterSeconds: 5 });
    if (answers.size >= limits.running) throw new AppError('overloaded', undefined, { retryAfterSeconds: 2 });
    const messageId = randomUUID();
    const answer = new RunningAnswer({
      conversationId,
      messageId,
      graceMs: limits.graceMs,
      ...(relay === undefined ? {} : { isFollowedElsewhere: () => relay.isFollowedElsewhere(messageId) }),
    });
    answers.set(messageId, answer);
    return answer;
  };

  const requireRoom = async (conversationId: string, owner: string): Promise<void> => {
    const belonging = await conversations.ownerOfConversation(conversationId);
    const messages = await conversations.readConversation(conversationId);
    if (messages === undefined || belonging?.owner !== owner)
      throw new AppError('not-found', 'There is no such conversation.');
    if (messages.length >= limits.conversationMessages) {
      throw new AppError('conflict', 'This conversation is full; start a new one.');
    }
  };

  /** The first version of the message that is to be answered once more. */
  const findFirstVersion = async (messageId: string, conversationId: string): Promise<string> => {
    const message = await conversations.readMessage(messageId);
    if (message?.conversationId !== conversationId)
      throw new AppError('not-found', 'There is no such message in this conversation.');
    if (message.status === 'running') throw new AppError('conflict', 'This message is still being answered.');
    return message.regenerates ?? messageId;
  };

  const prepare = async (
    { conversationId, messageId }: RunningAnswer,
    input: z.output<typeof askSchema>,
    { asker = LOCAL_IDENTITY, turns: givenTurns }: StartOptions,
  ): Promise<Ask> => {
    const knowledgeBase = requireVisible(asker, knowledgeBases, input.knowledgeBase);
    if (input.conversationId !== undefined) await requireRoom(conversationId, asker.owner);
    const regenerates =
      input.regenerates === undefined ? undefined : await findFirstVersion(input.regenerates, conversationId);
    const storedTurns =
      input.conversationId === undefined
        ? []
        : await conversations.readTurns(conversationId, limits.turns, { before: regenerates });
    await conversations.startMessage({
      conversationId,
      messageId,
      knowledgeBase: knowledgeBase.id,
      question: input.text,
      askedAt: now().toISOString(),
      owner: asker.owner,
      ...(regenerates === undefined ? {} : { regenerates }),
    });
    const turns = (givenTurns ?? storedTurns).slice(-limits.turns);
    return {
      conversationId,
      messageId,
      knowledgeBase,
      text: input.text,
      images: input.images ?? [],
      turns,
      owner: asker.owner,
      ...(regenerates === undefined ? {} : { isRegenerated: true }),
    };
  };

  const find = async (messageId: string): Promise<AnswerAddress> => {
    const found = answers.get(messageId) ?? (await conversations.readMessage(messageId));
    if (found === undefined) throw new AppError('not-found', 'There is no such message.');
    return { conversationId: found.conversationId, messageId };
  };

  const stopElsewhere = async (messageId: string): Promise<boolean> => {
    const message = await conversations.readMessage(messageId);
    if (message === undefined) throw new AppError('not-found', 'There is no such message.');
    if (relay === undefined || message.status !== 'running') return false;
    const signal = AbortSignal.timeout(STOP_ELSEWHERE_MS);
    const frames = followElsewhere(messageId, -1, { conversations, relay, signal });
    await relay.askToStop(messageId);
    for await (const frame of frames) if (isFinalFrame(frame)) return true;
    throw new AppError('timeout', 'The server that writes the answer did not stop it.');
  };
  relay?.onStop((messageId) => answers.get(messageId)?.abort(new AppError('stopped')));

  async function* follow(
    messageId: string,
    afterSeq: number,
    followOptions: FollowOptions,
  ): AsyncGenerator<AnswerFrame> {
    const answer = answers.get(messageId);
    if (answer !== undefined) {
      yield* answer.follow(afterSeq, followOptions);
      return;
    }
    if (relay !== undefined) {
      yield* followElsewhere(messageId, afterSeq, { conversations, relay, signal: followOptions.signal });
      return;
    }
    const frames = await conversations.readFrames(messageId, afterSeq);
    if (frames === undefined) throw new AppError('not-found', 'There is no such message.');
    yield* frames;
    const message = await conversations.readMessage(messageId);
    if (message?.status === 'running') throw new AppError('interrupted');
  }

  return {
    async start(input, startOptions = {}) {
      const question = parseInput(askSchema, input);
      const caller = callerOf(startOptions.asker);
      const admission = caller === undefined ? undefined : await quota?.admit(caller);
      let answer: RunningAnswer | undefined;
      const dismiss = (): void => {
        if (answer !== undefined) answers.delete(answer.messageId);
        admission?.release({ tokens: tokensUsed(answer?.frames ?? []) });
        changed.ring();
      };
      try {
        answer = admit(question.conversationId);
        const { conversationId, messageId } = answer;
        const run = runAnswer.bind(undefined, answer, await prepare(answer, question, startOptions), {
          pipeline,
          conversations,
          logger,
          clock,
          stopMs: limits.stopMs,
        });
        void (caller === undefined ? run() : onBehalfOf(caller, run)).then(dismiss);
        return { conversationId, messageId };
      } catch (thrown) {
        dismiss();
        throw thrown;
      }
    },
    async stop(messageId) {
      const answer = answers.get(messageId);
      if (answer === undefined) return stopElsewhere(messageId);
      if (answer.ended) return false;
      answer.abort(new AppError('stopped'));
      await answer.whenEnded();
      return true;
    },
    find,
    follow,
    async deliver(messageId, afterSeq, show, followOptions) {
      const answer = answers.get(messageId);
      if (answer !== undefined) return answer.deliver(afterSeq, show, followOptions);
      for await (const frame of follow(messageId, afterSeq, followOptions)) await show(frame);
    },
    isRunning: (messageId) => answers.has(messageId),
    get running() {
      return answers.size;
    },
    get draining() {
      return draining;
    },
    async drain({ timeoutMs }) {
      draining = true;
      const giveUpAt = performance.now() + timeoutMs;
      const emptyBy = async (time: number): Promise<void> => {
        while (answers.size > 0 && performance.now() < time) {
          await changed.wait({ timeoutMs: time - performance.now() });
        }
      };
      await emptyBy(giveUpAt);
      for (const answer of answers.values()) answer.abort(new AppError('interrupted'));
      await emptyBy(giveUpAt + 2 * limits.stopMs);
    },
  };
}

/** Where the request came from, and whose key it showed. */
function callerOf(asker: Identity | undefined): Caller | undefined {
  const caller = currentCaller();
  if (caller === undefined || asker === undefined || asker.kind === 'local') return caller;
  return { ...caller, key: asker.client };
}

/** As the model's service counted them; of an answer that broke off, what was seen of it. */
function tokensUsed(frames: readonly AnswerFrame[]): number {
  const final = frames.at(-1);
  if (final?.type === 'answer-completed') {
    return final.usage === undefined ? 0 : final.usage.promptTokens + final.usage.completionTokens;
  }
  return frames.reduce((sum, frame) => sum + (frame.type === 'text-delta' ? countTokens(frame.text) : 0), 0);
}
