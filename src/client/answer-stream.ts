import type { AnswerFrame } from '../frames.js';
import type { AskbaseError } from './askbase-error.js';

/** All that a reloaded page needs to go on with an answer; plain JSON. */
export interface AnswerPosition {
  conversationId: string;
  messageId: string;
  /** `seq` of the last frame that was taken; -1 before the first. */
  lastSeq: number;
}

/** Frames of one answer between the socket and whoever takes them: in order, none lost, none twice. */
export class AnswerStream {
  readonly conversationId: string;
  readonly messageId: string;
  #received: number;
  #taken: number;
  #waiting: AnswerFrame[] = [];
  #ended = false;
  #failure: AskbaseError | undefined;
  #wake: () => void = () => undefined;

  constructor({ conversationId, messageId, lastSeq }: AnswerPosition) {
    this.conversationId = conversationId;
    this.messageId = messageId;
    this.#received = lastSeq;
    this.#taken = lastSeq;
  }

  get position(): AnswerPosition {
    return { conversationId: this.conversationId, messageId: this.messageId, lastSeq: this.#taken };
  }

  /** `seq` of the last frame that came from the server. */
  get received(): number {
    return this.#received;
  }

  /** Whether nothing more will come from the server. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Takes a frame; one that is already here is dropped. False where frames before it are missing. */
  push(frame: AnswerFrame): boolean {
    if (this.#ended || frame.seq <= this.#received) return true;
    if (frame.seq > this.#received + 1) return false;
    this.#received = frame.seq;
    this.#waiting.push(frame);
    if (frame.type === 'answer-completed' || frame.type === 'answer-failed') this.#ended = true;
    this.#wake();
    return true;
  }

  fail(failure: AskbaseError): void {
    this.#failure = failure;
    this.#ended = true;
    this.#wake();
  }

  async *take(): AsyncGenerator<AnswerFrame> {
    for (;;) {
      const frame = this.#waiting.shift();
      if (frame !== undefined) {
        this.#taken = frame.seq;
        yield frame;
      } else if (this.#failure !== undefined) {
        throw this.#failure;
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
