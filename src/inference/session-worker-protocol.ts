import type { PublicError } from '../errors.js';
import type { BatchOutcome, SequenceBatch, SessionOptions } from './onnx-session.js';

/** What a worker thread is told. */
export type WorkerRequest =
  | { type: 'load'; model: string; options: SessionOptions }
  | { type: 'run'; run: number; model: string; batch: SequenceBatch }
  | { type: 'cancel'; run: number }
  | { type: 'end-profiling'; model: string };

/** What it answers: `loaded` or `load-failed` to a load, exactly one of the last three to a run. */
export type WorkerReply =
  | { type: 'loaded'; model: string }
  | { type: 'load-failed'; model: string; error: PublicError }
  | { type: 'profiling-ended'; model: string }
  | ({ type: 'done'; run: number; milliseconds: number } & BatchOutcome)
  | { type: 'failed'; run: number; error: PublicError }
  /** Cancelled before it began. */
  | { type: 'skipped'; run: number };
