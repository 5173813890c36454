import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, toAppError, toPublicError } from '../errors.js';
import type { FlushClock } from '../flush-clock.js';
import { type AnswerFrame, type FrameBody, isFinalFrame } from '../frames.js';
import type { Ask } from '../pipeline.js';
import type { ConversationStore } from '../store/conversation-store.js';
import type { Logger } from '../telemetry/logger.js';
import { createFrameBuffer } from './frame-buffer.js';
import type { RunningAnswer } from './running-answer.js';

/** The way from a question to frames: `answerQuestion` with its steps, or a script in a test. */
export type Pipeline = (ask: Ask, options: { signal: AbortSignal }) => AsyncIterable<FrameBody>;

export interface RunAnswerOptions {
  pipeline: Pipeline;
  conversations: Pick<ConversationStore, 'appendFrames' | 'readFrames'>;
  logger: Logger;
  clock: FlushClock;
  /** How long a stopped pipeline may take to end before its answer is ended without it. */
  stopMs: number;
}

/**
 * Runs the pipeline, stores each frame, then shows it. Whatever goes wrong, exactly one final frame is shown. Resolves
 * when the pipeline has ended too; never rejects.
 */
export async function runAnswer(answer: RunningAnswer, ask: Ask, options: RunAnswerOptions): Promise<void> {
  const start = performance.now();
  const running = runPipeline(answer, ask, options);

  const final = await running.final;
  try {
    await show(answer, [final], options);
  } catch (thrown) {
    logFailure(options.logger, answer, thrown);
    answer.publish((await endedElsewhere(answer, thrown, options)) ?? answer.number([failed(thrown)]));
  }
  options.logger.info('answer ended', {
    messageId: answer.messageId,
    knowledgeBase: ask.knowledgeBase.id,
    result: describeResult(answer.frames.at(-1)),
    frames: answer.frames.length,
    milliseconds: Math.round(performance.now() - start),
  });
  await running.ended;
}

interface RunningPipeline {
  /**
   * The frame to end with, once all before it are shown and the pipeline has ended, so that whoever sees it finds the
   * trace written. Never rejects.
   */
  final: Promise<FrameBody>;
  /** Never rejects. */
  ended: Promise<unknown>;
}

function runPipeline(answer: RunningAnswer, ask: Ask, options: RunAnswerOptions): RunningPipeline {
  const { signal } = answer;
  const buffer = createFrameBuffer({
    clock: options.clock,
    write: (batch) => show(answer, batch, options),
    onFailure: (thrown) => answer.abort(toAppError(thrown)),
  });
  let final: FrameBody | undefined;
  const pump = async (): Promise<void> => {
    for await (const body of options.pipeline(ask, { signal })) {
      if (final !== undefined) continue;
      if (isFinalFrame(body)) final = body;
      else buffer.push(body);
    }
  };
  const pumping = pump();
  const finish = async (): Promise<FrameBody> => {
    const failure = await endOrStop(pumping, { signal, stopMs: options.stopMs });
    try {
      await buffer.end();
      signal.throwIfAborted();
      if (failure !== undefined) throw failure.thrown;
      if (final !== undefined) return final;
      throw new AppError('internal', undefined, { cause: 'the pipeline gave no final frame' });
    } catch (thrown) {
      logFailure(options.logger, answer, thrown);
      answer.abort(toAppError(thrown));
      return final ?? failed(thrown);
    }
  };
  return { final: finish(), ended: pumping.catch(() => undefined) };
}

/** Resolves when the pipeline has ended, to what it threw; after a stop, when its time is over. Never rejects. */
async function endOrStop(
  pumping: Promise<void>,
  { signal, stopMs }: { signal: AbortSignal; stopMs: number },
): Promise<{ thrown: unknown } | undefined> {
  const ended = pumping.then(
    () => undefined,
    (thrown: unknown) => ({ thrown }),
  );
  if (!signal.aborted) await Promise.race([ended, once(signal, 'abort')]);
  if (!signal.aborted) return ended;
  return Promise.race([ended, sleep(stopMs, undefined, { ref: false })]);
}

/** Written without `async`: each promise less is one less per frame. */
function show(
  answer: RunningAnswer,
  bodies: readonly FrameBody[],
  { conversations }: RunAnswerOptions,
): Promise<void> {
  const frames = answer.number(bodies);
  return conversations.appendFrames(frames).then(() => answer.publish(frames));
}

/** The rest of an answer that another server has ended because it took this one for dead. */
async function endedElsewhere(
  { messageId, frames }: RunningAnswer,
  thrown: unknown,
  { conversations }: RunAnswerOptions,
): Promise<AnswerFrame[] | undefined> {
  if (toAppError(thrown).code !== 'interrupted') return undefined;
  const rest = await conversations.readFrames(messageId, frames.length - 1).catch(() => undefined);
  return rest?.some(isFinalFrame) ? rest : undefined;
}

function failed(thrown: unknown): FrameBody {
  return { type: 'answer-failed', error: toPublicError(thrown) };
}

function describeResult(frame: AnswerFrame | undefined): string {
  if (frame?.type === 'answer-completed') return frame.reason ?? frame.status;
  return frame?.type === 'answer-failed' ? frame.error.code : 'none';
}

/** Only what nobody foresaw needs a person. */
function logFailure(logger: Logger, { messageId }: RunningAnswer, thrown: unknown): void {
  const error = toAppError(thrown);
  if (error.code === 'stopped') return;
  const level = error.code === 'internal' ? 'error' : 'warn';
  logger[level]('answer failed', { messageId, error });
}
