import { AppError } from '../errors.js';
import { type AnswerFrame, type FrameBody, isFinalFrame } from '../frames.js';
import { createBell } from './bell.js';

export interface FollowOptions {
  signal: AbortSignal;
  /**
   * What becomes of the answer when this follower was the last and leaves: it `wait`s for another one for the
   * grace period (the default), or `stop`s at once.
   */
  whenLeft?: 'wait' | 'stop';
}

/** Takes the next frame; nothing more is shown until the promise it may give has resolved. */
export type ShowFrame = (frame: AnswerFrame) => Promise<void> | undefined;

export interface RunningAnswerOptions {
  conversationId: string;
  messageId: string;
  /** How long it goes on when nobody follows. */
  graceMs: number;
  /** Whether somebody follows it on another server; nobody where absent. */
  isFollowedElsewhere?: () => Promise<boolean>;
}

/** One answer on its way: numbers its frames, keeps them, lets any number follow, and stops when nobody does. */
export class RunningAnswer {
  readonly conversationId: string;
  readonly messageId: string;
  readonly frames: AnswerFrame[] = [];
  readonly #bell = createBell();
  /** Of `deliver`: each looks whether there is more. */
  readonly #listeners = new Set<() => void>();
  readonly #abortion = new AbortController();
  readonly #graceMs: number;
  readonly #isFollowedElsewhere: () => Promise<boolean>;
  #followers = 0;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(options: RunningAnswerOptions) {
    this.conversationId = options.conversationId;
    this.messageId = options.messageId;
    this.#graceMs = options.graceMs;
    this.#isFollowedElsewhere = options.isFollowedElsewhere ?? (async () => false);
    this.#startGrace();
  }

  get ended(): boolean {
    const last = this.frames.at(-1);
    return last !== undefined && isFinalFrame(last);
  }

  /** Aborts when the answer shall stop; the reason is an AppError. */
  get signal(): AbortSignal {
    return this.#abortion.signal;
  }

  abort(reason: AppError): void {
    this.#abortion.abort(reason);
  }

  /** Addresses and numbers what comes next, without showing it yet. */
  number(bodies: readonly FrameBody[]): AnswerFrame[] {
    const { conversationId, messageId } = this;
    return bodies.map((body, index) => ({
      conversationId,
      messageId,
      seq: this.frames.length + index,
      ...body,
    }));
  }

  publish(frames: readonly AnswerFrame[]): void {
    this.frames.push(...frames);
    if (this.ended) clearTimeout(this.#graceTimer);
    this.#bell.ring();
    for (const proceed of this.#listeners) proceed();
  }

  /** Frames after `afterSeq`, in order, up to the final one or until the follower's signal aborts. */
  async *follow(afterSeq: number, { signal, whenLeft = 'wait' }: FollowOptions): AsyncGenerator<AnswerFrame> {
    this.#join();
    signal.addEventListener('abort', this.#bell.ring, { once: true });
    try {
      let next = afterSeq + 1;
      while (!signal.aborted) {
        const frame = this.frames[next];
        if (frame !== undefined) {
          next += 1;
          yield frame;
        } else if (this.ended) {
          return;
        } else {
          await this.#bell.wait();
        }
      }
    } finally {
      signal.removeEventListener('abort', this.#bell.ring);
      this.#leave(whenLeft);
    }
  }

  /** Like `follow`, and hands each frame to `show` in the same turn in which it is published. */
  deliver(afterSeq: number, show: ShowFrame, { signal, whenLeft = 'wait' }: FollowOptions): Promise<void> {
    this.#join();
    const delivering = new Promise<void>((resolve, reject) => {
      let next = afterSeq + 1;
      let showing = false;
      const settle = (end: () => void): void => {
        this.#listeners.delete(proceed);
        signal.removeEventListener('abort', proceed);
        end();
      };
      const shown = (): void => {
        showing = false;
        proceed();
      };
      const failed = (thrown: unknown): void => settle(() => reject(thrown));
      const proceed = (): void => {
        if (showing) return;
        try {
          for (let frame = this.frames[next]; frame !== undefined; frame = this.frames[next]) {
            if (signal.aborted) break;
            next += 1;
            const pending = show(frame);
            if (pending === undefined) continue;
            showing = true;
            pending.then(shown, failed);
            return;
          }
        } catch (thrown) {
          failed(thrown);
          return;
        }
        if (signal.aborted || this.ended) settle(resolve);
      };
      this.#listeners.add(proceed);
      signal.addEventListener('abort', proceed, { once: true });
      proceed();
    });
    return delivering.finally(() => this.#leave(whenLeft));
  }

  /** Resolves once the final frame is out. */
  async whenEnded(): Promise<void> {
    while (!this.ended) await this.#bell.wait();
  }

  #join(): void {
    this.#followers += 1;
    clearTimeout(this.#graceTimer);
  }

  #leave(whenLeft: 'wait' | 'stop'): void {
    this.#followers -= 1;
    if (this.#followers > 0 || this.ended) return;
    if (whenLeft === 'stop') this.#abandon();
    else this.#startGrace();
  }

  #startGrace(): void {
    this.#graceTimer = setTimeout(() => void this.#endGrace(), this.#graceMs);
    this.#graceTimer.unref();
  }

  async #endGrace(): Promise<void> {
    const elsewhere = await this.#isFollowedElsewhere().catch(() => false);
    if (this.#followers > 0 || this.ended) return;
    if (elsewhere) this.#startGrace();
    else this.#abandon();
  }

  #abandon(): void {
    this.abort(new AppError('stopped', 'Nobody waited for the answer any more.'));
  }
}
