import { AppError } from '../errors.js';
import { type PackingRules, packRun, type QueuedSequence } from './run-packer.js';
import type { TokenSequence } from './tokenizer/sequence-template.js';

/** Sequences of one or several requests that go through the model together. */
export interface ModelRun {
  id: number;
  model: string;
  sequences: TokenSequence[];
  /** Places per sequence after padding. */
  paddedLength: number;
}

export interface RunOutcome {
  /** Values of all sequences, one after the other. */
  values: Float32Array;
  /** The whole run, and the part of it that filled the input tensors. */
  milliseconds: number;
  tensorMilliseconds: number;
}

/** Where runs are executed. */
export interface RunSlot {
  /** Null when the run was cancelled before it began. */
  execute(run: ModelRun): Promise<RunOutcome | null>;
  /** Asks that a run which has not begun be skipped. */
  cancel(runId: number): void;
}

export interface SubmitOptions {
  model: string;
  /** Milliseconds of `performance.now()` after which no run of it begins any more. */
  deadline: number;
  signal: AbortSignal;
}

export interface SchedulerCounts {
  /** Sequences that wait for a run, and their tokens. */
  queuedSequences: number;
  queuedTokens: number;
  runs: number;
  /** Tokens of the texts, and tokens computed, padding included. */
  realTokens: number;
  computedTokens: number;
  runMilliseconds: number;
  tensorMilliseconds: number;
  overloaded: number;
  cancelled: number;
}

export interface RunScheduler {
  /**
   * One slice of values per sequence, in input order.
   *
   * @throws AppError `overloaded`, `stopped`, `timeout`, or what a run failed with
   */
  submit(sequences: readonly TokenSequence[], options: SubmitOptions): Promise<Float32Array[]>;
  /** Refuses early, before any work is put into a request. @throws AppError `overloaded` */
  ensureRoom(): void;
  /** @param millisecondsPerToken as measured, so that the first estimate of a wait has a basis */
  addModel(model: string, rules: PackingRules, millisecondsPerToken: number): void;
  counts(): SchedulerCounts;
}

interface Request {
  model: string;
  /** Longest last: runs are taken from the end. */
  pending: QueuedSequence[];
  results: Float32Array[];
  unfinished: number;
  deadline: number;
  /** Service received, in estimated milliseconds, counted from the least that any waiting request had at its start. */
  served: number;
  liveRuns: Set<number>;
  resolve: (results: Float32Array[]) => void;
  reject: (error: AppError) => void;
  cleanUp: () => void;
}

interface LiveRun {
  slot: RunSlot;
  /** Requests that still want it. */
  wantedBy: Set<Request>;
}

/** One run under way and one waiting at each slot, so that a slot never idles between two. */
const RUNS_PER_SLOT = 2;
/** A run that holds fewer tokens does not use a core well; the last runs of a queue are not cut below it. */
const LEAST_RUN_TOKENS = 64;
/** Weight of the newest run in the moving average of the time per token. */
const NEWEST_WEIGHT = 0.1;

/**
 * Shares the slots between requests. Whenever a slot has room, the waiting request that has been served least gives
 * the next run (start-time fair queueing), so a small request that meets a huge one waits for the runs already handed
 * out (two per slot) and from then on gets every other run.
 */
export function createRunScheduler(options: {
  slots: readonly RunSlot[];
  maxQueuedTokens: number;
}): RunScheduler {
  const rules = new Map<string, PackingRules>();
  const millisecondsPerToken = new Map<string, number>();
  const waiting = new Set<Request>();
  const liveRuns = new Map<number, LiveRun>();
  const load = new Map(options.slots.map((slot) => [slot, 0]));
  const counts: SchedulerCounts = {
    queuedSequences: 0,
    queuedTokens: 0,
    runs: 0,
    realTokens: 0,
    computedTokens: 0,
    runMilliseconds: 0,
    tensorMilliseconds: 0,
    overloaded: 0,
    cancelled: 0,
  };
  let nextRunId = 1;
  let leastServed = 0;

  const estimate = (model: string, tokens: number): number =>
    tokens * (millisecondsPerToken.get(model) as number);

  const settle = (request: Request, finish: () => void): void => {
    request.cleanUp();
    waiting.delete(request);
    for (const { sequence } of request.pending) {
      counts.queuedSequences -= 1;
      counts.queuedTokens -= sequence.ids.length;
    }
    request.pending = [];
    for (const id of request.liveRuns) {
      const run = liveRuns.get(id);
      run?.wantedBy.delete(request);
      if (run?.wantedBy.size === 0) run.slot.cancel(id);
    }
    request.liveRuns.clear();
    finish();
  };
  const fail = (request: Request, error: AppError): void => settle(request, () => request.reject(error));

  const ensureRoom = (): void => {
    if (counts.queuedTokens < options.maxQueuedTokens) return;
    counts.overloaded += 1;
    const wait = [...waiting].reduce(
      (sum, { model, pending }) =>
        sum + pending.reduce((time, item) => time + estimate(model, item.sequence.ids.length), 0),
      0,
    );
    throw new AppError('overloaded', undefined, {
      retryAfterSeconds: Math.max(1, Math.ceil(wait / options.slots.length / 1000)),
    });
  };

  /** The waiting requests, least served first; those past their deadline are answered here. */
  const inTurn = (): Request[] => {
    const now = performance.now();
    for (const request of waiting) if (now > request.deadline) fail(request, new AppError('timeout'));
    return [...waiting].sort((a, b) => a.served - b.served);
  };

  const freeSlot = (): RunSlot | undefined => {
    let best: RunSlot | undefined;
    for (const slot of options.slots) {
      const busy = load.get(slot) as number;
      if (busy < RUNS_PER_SLOT && (best === undefined || busy < (load.get(best) as number))) best = slot;
    }
    return best;
  };

  /**
   * Towards the end of the queue runs get smaller, so that all slots finish together: each takes the share of what is
   * left that falls to one place at one slot (guided self-scheduling, Polychronopoulos and Kuck 1987).
   */
  const rulesNow = (model: string): PackingRules => {
    const known = rules.get(model) as PackingRules;
    if (options.slots.length === 1) return known;
    const share = Math.ceil(counts.queuedTokens / (options.slots.length * RUNS_PER_SLOT));
    return { ...known, maxTokens: Math.min(known.maxTokens, Math.max(LEAST_RUN_TOKENS, share)) };
  };

  const dispatch = (): void => {
    for (let slot = freeSlot(); slot !== undefined; slot = freeSlot()) {
      const [first, ...others] = inTurn();
      if (first === undefined) return;
      leastServed = first.served;
      const model = first.model;
      const sharing = [first, ...others.filter((other) => other.model === model)];
      const packed = packRun(
        sharing.map(({ pending }) => pending),
        rulesNow(model),
      );
      start(
        slot,
        model,
        packed.paddedLength,
        packed.taken.flatMap((taken, index) => {
          const request = sharing[index] as Request;
          if (taken.length > 0 && request.pending.length === 0) waiting.delete(request);
          return taken.map((item) => ({ request, item }));
        }),
      );
    }
  };

  const start = (
    slot: RunSlot,
    model: string,
    paddedLength: number,
    parts: { request: Request; item: QueuedSequence }[],
  ): void => {
    const id = nextRunId++;
    const run: ModelRun = { id, model, paddedLength, sequences: parts.map(({ item }) => item.sequence) };
    const live: LiveRun = { slot, wantedBy: new Set(parts.map(({ request }) => request)) };
    let realTokens = 0;
    for (const { request, item } of parts) {
      const tokens = item.sequence.ids.length;
      request.liveRuns.add(id);
      request.served += estimate(model, tokens);
      realTokens += tokens;
      counts.queuedSequences -= 1;
      counts.queuedTokens -= tokens;
    }
    liveRuns.set(id, live);
    load.set(slot, (load.get(slot) as number) + 1);
    slot
      .execute(run)
      .then(
        (outcome) => {
          if (outcome === null) {
            counts.cancelled += 1;
            return;
          }
          counts.runs += 1;
          counts.realTokens += realTokens;
          counts.computedTokens += paddedLength * parts.length;
          counts.runMilliseconds += outcome.milliseconds;
          counts.tensorMilliseconds += outcome.tensorMilliseconds;
          learn(model, outcome.milliseconds / realTokens);
          deliver(id, parts, outcome.values);
        },
        (error: unknown) => {
          for (const request of live.wantedBy) {
            fail(
              request,
              error instanceof AppError ? error : new AppError('unavailable', undefined, { cause: error }),
            );
          }
        },
      )
      .finally(() => {
        liveRuns.delete(id);
        load.set(slot, (load.get(slot) as number) - 1);
        dispatch();
      });
  };

  const deliver = (
    id: number,
    parts: { request: Request; item: QueuedSequence }[],
    values: Float32Array,
  ): void => {
    const width = values.length / parts.length;
    for (const [index, { request, item }] of parts.entries()) {
      if (!request.liveRuns.has(id)) continue;
      request.results[item.index] = values.subarray(index * width, (index + 1) * width);
      request.unfinished -= 1;
    }
    for (const request of new Set(parts.map((part) => part.request))) {
      if (!request.liveRuns.delete(id)) continue;
      if (request.unfinished === 0) settle(request, () => request.resolve(request.results));
    }
  };

  const learn = (model: string, perToken: number): void => {
    const known = millisecondsPerToken.get(model) as number;
    millisecondsPerToken.set(model, known + NEWEST_WEIGHT * (perToken - known));
  };

  return {
    ensureRoom,
    addModel(model, packingRules, perToken) {
      rules.set(model, packingRules);
      millisecondsPerToken.set(model, perToken);
    },
    counts: () => ({ ...counts }),
    async submit(sequences, { model, deadline, signal }) {
      if (signal.aborted) throw new AppError('stopped');
      ensureRoom();
      if (sequences.length === 0) return [];
      return new Promise((resolve, reject) => {
        const onAbort = (): void => fail(request, new AppError('stopped'));
        const request: Request = {
          model,
          pending: sequences
            .map((sequence, index) => ({ sequence, index }))
            .sort((a, b) => a.sequence.ids.length - b.sequence.ids.length),
          results: [],
          unfinished: sequences.length,
          deadline,
          served: leastServed,
          liveRuns: new Set(),
          resolve,
          reject,
          cleanUp: () => signal.removeEventListener('abort', onAbort),
        };
        signal.addEventListener('abort', onAbort, { once: true });
        waiting.add(request);
        counts.queuedSequences += sequences.length;
        counts.queuedTokens += sequences.reduce((sum, { ids }) => sum + ids.length, 0);
        dispatch();
      });
    },
  };
}
