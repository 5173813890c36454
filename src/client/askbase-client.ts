import type { ManagerOptions, Socket, SocketOptions } from 'socket.io-client';
import type { PublicError } from '../errors.js';
import type { AnswerFrame } from '../frames.js';
import { type AnswerPosition, AnswerStream } from './answer-stream.js';
import { AskbaseError, unreachable } from './askbase-error.js';
import { createHandoffClient, type HandoffClient } from './handoff-client.js';

export interface AskbaseClientOptions {
  /** `io` of socket.io-client, from wherever it was loaded. */
  io: (url: string, options: Partial<ManagerOptions & SocketOptions>) => Socket;
  /** Where the server is; the page's own origin where absent. */
  url?: string;
  /** API key or visitor token, where the server asks for one; a function is called at every connection. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** How long the server may take to acknowledge what is sent to it. */
  ackTimeoutMs?: number;
}

export interface QuestionToAsk {
  knowledgeBase: string;
  text: string;
  /** Absent: a new conversation. */
  conversationId?: string;
  /** A message of the conversation that is to be answered once more; both versions stay. */
  regenerates?: string;
  /** Data URLs of PNG, JPEG, WebP or GIF images. */
  images?: readonly string[];
}

export interface FeedbackToGive {
  messageId: string;
  verdict: 'up' | 'down';
  passageIds?: readonly string[];
  comment?: string;
}

/**
 * An answer on its way. Iterating gives its frames up to the final one, across lost connections; it throws
 * AskbaseError where the server cannot give the rest. One consumer.
 */
export interface Answer extends AsyncIterable<AnswerFrame> {
  /** Keep this, and `resume` goes on from here after a reload. */
  readonly position: AnswerPosition;
  /** Asks the server to stop; the final frame still comes. False where the answer had ended before. */
  stop(): Promise<boolean>;
}

export interface AskbaseClient extends HandoffClient {
  readonly connected: boolean;
  /** Called on every change; returns what ends that. */
  onConnectionChange(listener: (connected: boolean) => void): () => void;
  /** Throws AskbaseError: what the server refused, or `unavailable`. */
  ask(question: QuestionToAsk): Promise<Answer>;
  /** Goes on after `position.lastSeq`; -1 gives the answer from its start. Throws AskbaseError `not-found`. */
  resume(position: AnswerPosition): Promise<Answer>;
  giveFeedback(feedback: FeedbackToGive): Promise<void>;
  close(): void;
}

type Ack<Reply> = ({ ok: true } & Reply) | { ok: false; error: PublicError };
type Address = Pick<AnswerPosition, 'conversationId' | 'messageId'>;

const DEFAULT_ACK_TIMEOUT_MS = 15_000;
const DEFAULT_RETRY_SECONDS = 1;
/** What may be over at the next try. */
const PASSING: ReadonlySet<string> = new Set(['unavailable', 'overloaded', 'timeout']);

export function createAskbaseClient(options: AskbaseClientOptions): AskbaseClient {
  const { ackTimeoutMs = DEFAULT_ACK_TIMEOUT_MS } = options;
  const { token } = options;
  const auth = async (send: (data: object) => void): Promise<void> =>
    send({ token: typeof token === 'function' ? await token() : token });
  const socket = options.io(options.url ?? '/', {
    forceNew: true,
    ...(token === undefined ? {} : { auth: (send: (data: object) => void) => void auth(send) }),
  });
  const streams = new Map<string, AnswerStream>();
  /** Requests without an answer yet: a server that does not let us in will not answer them. */
  const waiting = new Set<(error: AskbaseError) => void>();

  /** `accept` runs before the next frame is looked at, so that none passes while a promise settles. */
  const request = <Reply, Result>(
    event: string,
    payload: object,
    accept: (reply: Reply) => Result,
  ): Promise<Result> =>
    new Promise((resolve, reject) => {
      waiting.add(reject);
      socket.timeout(ackTimeoutMs).emit(event, payload, (failure: Error | null, ack: Ack<Reply>) => {
        waiting.delete(reject);
        if (failure !== null) reject(unreachable());
        else if (ack.ok) resolve(accept(ack));
        else reject(new AskbaseError(ack.error));
      });
    });

  const open = (position: AnswerPosition): Answer => {
    const stream = new AnswerStream(position);
    const { messageId } = stream;
    streams.set(messageId, stream);
    return {
      get position() {
        return stream.position;
      },
      stop: () => request('answer-stop', { messageId }, ({ stopped }: { stopped: boolean }) => stopped),
      async *[Symbol.asyncIterator]() {
        try {
          yield* stream.take();
        } finally {
          if (streams.get(messageId) === stream) streams.delete(messageId);
        }
      },
    };
  };

  const resumeStream = async (stream: AnswerStream): Promise<void> => {
    if (stream.ended || streams.get(stream.messageId) !== stream) return;
    const position = { messageId: stream.messageId, afterSeq: stream.received };
    try {
      await request('answer-resume', position, () => undefined);
    } catch (thrown) {
      const error = thrown as AskbaseError;
      if (!error.retryable) stream.fail(error);
      else if (socket.connected) resumeLater(stream, error.retryAfterSeconds);
    }
  };

  const resumeLater = (stream: AnswerStream, seconds = DEFAULT_RETRY_SECONDS): void => {
    setTimeout(() => void resumeStream(stream), 1000 * seconds);
  };

  socket.on('frame', (frame: AnswerFrame) => {
    const stream = streams.get(frame.messageId);
    if (stream?.push(frame) === false) void resumeStream(stream);
  });
  socket.on('request-failed', ({ messageId, error }: { messageId?: string; error: PublicError }) => {
    const stream = messageId === undefined ? undefined : streams.get(messageId);
    if (stream === undefined) return;
    // The answer is there; only its frames could not be sent just now.
    if (PASSING.has(error.code)) resumeLater(stream, error.retryAfterSeconds);
    else stream.fail(new AskbaseError(error));
  });
  socket.on('connect', () => {
    for (const stream of streams.values()) void resumeStream(stream);
  });

  socket.on('connect_error', (failure: Error & { data?: { error?: PublicError } }) => {
    const refusal = failure.data?.error;
    if (refusal === undefined) return;
    for (const stream of streams.values()) stream.fail(new AskbaseError(refusal));
    for (const refuse of waiting) refuse(new AskbaseError(refusal));
  });
  socket.on('disconnect', (reason) => {
    // A server that shuts down says goodbye, and socket.io takes that for good: the next server has the answers too.
    if (reason === 'io server disconnect') socket.connect();
  });

  return {
    ...createHandoffClient(socket, request),
    get connected() {
      return socket.connected;
    },
    onConnectionChange(listener) {
      const up = (): void => listener(true);
      const down = (): void => listener(false);
      socket.on('connect', up).on('disconnect', down);
      return () => void socket.off('connect', up).off('disconnect', down);
    },
    ask: (question) =>
      request('question-ask', question, (address: Address) => open({ ...pickAddress(address), lastSeq: -1 })),
    resume: (position) =>
      request(
        'answer-resume',
        { messageId: position.messageId, afterSeq: position.lastSeq },
        (address: Address) => open({ ...pickAddress(address), lastSeq: position.lastSeq }),
      ),
    giveFeedback: (feedback) => request('feedback-give', feedback, () => undefined),
    close() {
      socket.disconnect();
      for (const stream of streams.values()) stream.fail(unreachable());
    },
  };
}

function pickAddress({ conversationId, messageId }: Address): Address {
  return { conversationId, messageId };
}
