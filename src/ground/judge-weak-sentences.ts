import type { Source } from '../frames.js';
import type { Grounding, GroundingFrame, JudgedGrounding } from './grounding.js';
import type { Verdict } from './sentence-check.js';
import type { JudgeSentence } from './sentence-judge.js';
import { withMethods } from './with-methods.js';

type Check = Extract<GroundingFrame, { type: 'grounding-checked' }>;

/** What became of a sentence that the signals called `weak`. */
export interface Judgement {
  sentence: string;
  /** `weak` too where the judge was not sure, failed, or took too long. */
  verdict: Verdict;
  /** Milliseconds. */
  ms: number;
}

export interface JudgeOptions {
  /** Null: verdicts stay what the signals say. */
  judge: JudgeSentence | null;
  sources: readonly Source[];
  /** Personal data is hidden from the judge. */
  mask: boolean;
  onJudged: (judgement: Judgement) => void;
  onFailure: () => void;
  signal: AbortSignal;
  /** Milliseconds for one sentence; so long the end of an answer waits at most. */
  timeoutMs?: number;
}

/** Sentences of one answer that are judged, the first ones. */
const MOST_JUDGED = 6;
const TIMEOUT_MS = 4_000;

/**
 * Asks a judge about the sentences that cite something and are `weak` by the signals. Text and citations go out as they
 * come; verdicts keep their order, so those behind one that is being judged wait for it.
 */
export function judgeWeakSentences(grounding: Grounding, options: JudgeOptions): JudgedGrounding {
  const { judge, sources, mask, onJudged, onFailure, signal, timeoutMs = TIMEOUT_MS } = options;
  const waiting: { check: Check; isDone: boolean; done: Promise<void> }[] = [];
  let judged = 0;

  const judgeOne = async (check: Check, ask: JudgeSentence): Promise<Check> => {
    const sentence = grounding.text.slice(...check.span);
    const cited = sources.filter(({ n }) => check.citations.includes(n));
    const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const start = performance.now();
    const verdict = await ask({ sentence, cited }, { mask, signal: limited }).catch((): Verdict => {
      onFailure();
      return check.verdict;
    });
    onJudged({ sentence, verdict, ms: performance.now() - start });
    return withVerdict(check, verdict);
  };
  const queue = (check: Check): void => {
    const isAsked =
      judge !== null && check.verdict === 'weak' && check.citations.length > 0 && judged < MOST_JUDGED;
    const entry = { check, isDone: !isAsked, done: Promise.resolve() };
    if (isAsked) {
      judged += 1;
      entry.done = judgeOne(check, judge).then((changed) => {
        Object.assign(entry, { check: changed, isDone: true });
      });
    }
    waiting.push(entry);
  };
  const pass = (frames: readonly GroundingFrame[]): GroundingFrame[] => {
    const out: GroundingFrame[] = [];
    const takeDone = (): void => {
      while (waiting[0]?.isDone === true) out.push((waiting.shift() as (typeof waiting)[number]).check);
    };
    takeDone();
    for (const frame of frames) {
      if (frame.type === 'grounding-checked') queue(frame);
      else out.push(frame);
      takeDone();
    }
    return out;
  };

  return withMethods<JudgedGrounding>(grounding, {
    push: (text) => pass(grounding.push(text)),
    finish: () => pass(grounding.finish()),
    verdicts: async () => {
      await Promise.all(waiting.map(({ done }) => done));
      return waiting.splice(0).map(({ check }) => check);
    },
  });
}

function withVerdict(check: Check, verdict: Verdict): Check {
  if (verdict === 'supported') return { ...check, verdict, reasons: [] };
  return { ...check, verdict };
}
