import { AppError, toAppError, toPublicError } from '../errors.js';
import { type AnswerFrame, type FrameBody, isFinalFrame } from '../frames.js';
import type { Ask } from '../pipeline.js';
import type { ConversationStore } from '../store/conversation-store.js';
import type { Logger } from '../telemetry/logger.js';
import { createFrameBuffer, type FrameBuffer } from './frame-buffer.js';
import type { RunningAnswer } from './running-answer.js';

/** The way from a question to frames: `answerQuestion` with its steps, or a script in a test. */
export type Pipeline = (ask: Ask, options: { signal: AbortSignal }) => AsyncIterable<FrameBody>;

export interface RunAnswerOptions {
  pipeline: Pipeline;
  conversations: Pick<ConversationStore, 'appendFrames' | 'readFrames'>;
  logger: Logger;
  /** Least time between two text deltas, after the first. */
  flushIntervalMs: number;
  /** How long a stopped pipeline may take to end before its answer is ended without it. */
  stopMs: number;
}

/**
 * Runs the pipeline, stores each frame, then shows it. Whatever goes wrong, exactly one final frame is shown. Resolves
 * when the pipeline has ended too; never rejects.
 */
export async function runAnswer(answer: RunningAnswer, ask: Ask, options: RunAnswerOptions): Promise<void> {
  const start = performance.now();
  const buffer = createFrameBuffer({ intervalMs: options.flushIntervalMs });
  const pumping = pump(() => options.pipeline(ask, { signal: answer.signal }), buffer);

  const final = await showUntilFinal(answer, buffer, options);
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
  await pumping;
}

/** Never rejects: a failure ends the buffer. */
async function pump(run: () => AsyncIterable<FrameBody>, buffer: FrameBuffer): Promise<void> {
  try {
    for await (const body of run()) buffer.push(body);
    buffer.end();
  } catch (thrown) {
    buffer.end({ thrown });
  }
}

/**
 * Shows everything but the final frame, which it returns: that one waits for the pipeline's end, so that whoever sees
 * it finds the trace written.
 */
async function showUntilFinal(
  answer: RunningAnswer,
  buffer: FrameBuffer,
  options: RunAnswerOptions,
): Promise<FrameBody> {
  let final: FrameBody | undefined;
  try {
    for await (const batch of buffer.batches({ signal: answer.signal, endWithinMs: options.stopMs })) {
      if (final !== undefined) continue;
      const end = batch.findIndex(isFinalFrame);
      final = batch[end];
      await show(answer, end === -1 ? batch : batch.slice(0, end), options);
    }
    return (
      final ?? failed(new AppError('internal', undefined, { cause: 'the pipeline gave no final frame' }))
    );
  } catch (thrown) {
    logFailure(options.logger, answer, thrown);
    answer.abort(toAppError(thrown));
    return final ?? failed(thrown);
  }
}

async function show(
  answer: RunningAnswer,
  bodies: readonly FrameBody[],
  { conversations }: RunAnswerOptions,
): Promise<void> {
  if (bodies.length === 0) return;
  const frames = answer.number(bodies);
  await conversations.appendFrames(frames);
  answer.publish(frames);
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
