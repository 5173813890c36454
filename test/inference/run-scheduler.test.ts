import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PackingRules, packRun, type QueuedSequence } from '../../src/inference/run-packer.js';
import {
  createRunScheduler,
  type ModelRun,
  type RunOutcome,
  type RunScheduler,
  type RunSlot,
} from '../../src/inference/run-scheduler.js';
import type { TokenSequence } from '../../src/inference/tokenizer/sequence-template.js';

const CPU_FP32: PackingRules = { maxTokens: 512, maxSequences: 64, lengthStep: 1, maxPadding: 0.04 };
const CPU_INT8: PackingRules = { ...CPU_FP32, maxSequences: 1 };
const GRAPHICS: PackingRules = { maxTokens: 16_384, maxSequences: 256, lengthStep: 32, maxPadding: 0.25 };

/** The first id is what the run gives back, so that results can be told apart. */
function sequenceOf(length: number, first = length): TokenSequence {
  const ids = new Int32Array(length).fill(1);
  ids[0] = first;
  return { ids, types: new Uint8Array(length) };
}

/** A slot whose runs end when the test says so, in order. */
class HeldSlot implements RunSlot {
  readonly started: ModelRun[] = [];
  readonly cancelled: number[] = [];
  readonly #ends: ((outcome: RunOutcome | null | Error) => void)[] = [];

  execute(run: ModelRun): Promise<RunOutcome | null> {
    this.started.push(run);
    return new Promise((resolve, reject) => {
      this.#ends.push((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
    });
  }

  cancel(run: number): void {
    this.cancelled.push(run);
  }

  get held(): number {
    return this.#ends.length;
  }

  /** Ends the oldest run and lets what follows from it happen. */
  async end(outcome?: null | Error): Promise<ModelRun> {
    const run = this.started[this.started.length - this.#ends.length] as ModelRun;
    const values = Float32Array.from(run.sequences, ({ ids }) => ids[0] as number);
    this.#ends.shift()?.(
      outcome === undefined ? { values, milliseconds: 1, tensorMilliseconds: 0 } : outcome,
    );
    await new Promise((resolve) => setImmediate(resolve));
    return run;
  }

  async endAll(): Promise<void> {
    while (this.held > 0) await this.end();
  }
}

function build(options: { slots?: number; rules?: PackingRules; maxQueuedTokens?: number } = {}) {
  const slots = Array.from({ length: options.slots ?? 1 }, () => new HeldSlot());
  const scheduler = createRunScheduler({ slots, maxQueuedTokens: options.maxQueuedTokens ?? 1e6 });
  scheduler.addModel('m', options.rules ?? CPU_INT8, 0.01);
  return { scheduler, slots, slot: slots[0] as HeldSlot };
}

function submit(
  scheduler: RunScheduler,
  sequences: TokenSequence[],
  options: { signal?: AbortSignal; deadline?: number } = {},
): Promise<Float32Array[]> {
  const { signal = new AbortController().signal, deadline = Infinity } = options;
  return scheduler.submit(sequences, { model: 'm', signal, deadline });
}

describe('the scheduler', () => {
  test('makes the last runs of a queue smaller, so that all threads end together', async () => {
    const { scheduler, slots } = build({ slots: 2, rules: CPU_FP32 });
    const lengths = Array.from({ length: 80 }, () => 32);
    const results = submit(
      scheduler,
      lengths.map((length) => sequenceOf(length)),
    );
    while (slots.some(({ held }) => held > 0)) {
      for (const slot of slots) if (slot.held > 0) await slot.end();
    }
    expect(await results).toHaveLength(80);
    const sizes = slots.map(({ started }) => started.map(({ sequences }) => 32 * sequences.length));
    expect(sizes.map((runs) => runs[0])).toEqual([512, 512]);
    expect(Math.max(...sizes.map((runs) => runs.at(-1) as number))).toBeLessThanOrEqual(64);
  });

  test('leaves a single device its large runs to the end', async () => {
    const { scheduler, slot } = build({ rules: CPU_FP32 });
    const results = submit(
      scheduler,
      Array.from({ length: 20 }, () => sequenceOf(32)),
    );
    await slot.endAll();
    await results;
    expect(slot.started.map(({ sequences }) => sequences.length)).toEqual([16, 4]);
  });

  test('gives results in input order, whatever the order of the runs', async () => {
    const { scheduler, slot } = build({ rules: CPU_FP32 });
    const lengths = [30, 500, 31, 200, 29, 90];
    const results = submit(
      scheduler,
      lengths.map((length) => sequenceOf(length)),
    );
    await slot.endAll();
    expect((await results).map(([value]) => value)).toEqual(lengths);
    expect(slot.started[0]?.sequences[0]?.ids).toHaveLength(500);
  });

  test('lets a request of 10 wait for the runs handed out and then for every other run, not for 1,000 passages', async () => {
    const { scheduler, slots } = build({ slots: 2 });
    const huge = submit(
      scheduler,
      Array.from({ length: 1000 }, () => sequenceOf(100)),
    );
    const small = submit(
      scheduler,
      Array.from({ length: 10 }, () => sequenceOf(100, 7)),
    );
    let runs = 0;
    let done = false;
    void small.then(() => {
      done = true;
    });
    while (!done) {
      await slots[runs % 2]?.end();
      runs += 1;
    }
    // Two runs at each of two slots were handed out before, and the two requests take turns from then on.
    expect(runs).toBeLessThanOrEqual(4 + 2 * 10 + 2);
    while (slots.some(({ held }) => held > 0)) await Promise.all(slots.map((slot) => slot.endAll()));
    expect(await huge).toHaveLength(1000);
  });

  test('starts no run for a request that was cancelled, and skips the one that waits at a slot', async () => {
    const { scheduler, slot } = build();
    const controller = new AbortController();
    const leaving = submit(
      scheduler,
      Array.from({ length: 50 }, () => sequenceOf(10)),
      { signal: controller.signal },
    );
    expect(slot.started).toHaveLength(2);
    controller.abort();
    await expect(leaving).rejects.toMatchObject({ code: 'stopped' });
    expect(slot.cancelled).toEqual([1, 2]);
    await slot.end();
    await slot.end(null);
    expect(slot.started).toHaveLength(2);
    expect(scheduler.counts()).toMatchObject({ queuedSequences: 0, queuedTokens: 0, runs: 1, cancelled: 1 });
  });

  test('keeps a run that another request shares when one of them leaves', async () => {
    const { scheduler, slot } = build({ rules: GRAPHICS });
    const block = submit(scheduler, [sequenceOf(9), sequenceOf(500)]);
    const controller = new AbortController();
    const leaving = submit(scheduler, [sequenceOf(20)], { signal: controller.signal });
    const staying = submit(scheduler, [sequenceOf(21)]);
    await slot.end();
    expect(slot.started.at(-1)?.sequences).toHaveLength(2);
    controller.abort();
    await expect(leaving).rejects.toMatchObject({ code: 'stopped' });
    expect(slot.cancelled).toEqual([]);
    await slot.endAll();
    expect((await staying)[0]?.[0]).toBe(21);
    await block;
  });

  test('starts no run after the deadline', async () => {
    const { scheduler, slot } = build();
    const late = submit(
      scheduler,
      [1, 2, 3, 4].map((first) => sequenceOf(10, first)),
      {
        deadline: performance.now() - 1,
      },
    );
    await expect(late).rejects.toMatchObject({ code: 'timeout' });
    expect(slot.started).toHaveLength(0);
  });

  test('refuses what comes while too much waits, with a hint when to come again', async () => {
    const { scheduler, slot } = build({ maxQueuedTokens: 1000 });
    const accepted = submit(
      scheduler,
      Array.from({ length: 30 }, () => sequenceOf(100)),
    );
    await expect(submit(scheduler, [sequenceOf(10)])).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterSeconds: 1,
    });
    expect(() => scheduler.ensureRoom()).toThrow('busy');
    await slot.endAll();
    await accepted;
    scheduler.ensureRoom();
    expect(scheduler.counts().overloaded).toBe(2);
  });

  test('fails the requests of a run that failed, and goes on with the others', async () => {
    const { scheduler, slot } = build();
    const broken = submit(scheduler, [sequenceOf(50), sequenceOf(49), sequenceOf(48)]);
    const fine = submit(scheduler, [sequenceOf(10)]);
    const failed = expect(broken).rejects.toMatchObject({ code: 'unavailable' });
    await slot.end(new Error('out of memory'));
    await slot.endAll();
    await failed;
    expect((await fine)[0]?.[0]).toBe(10);
  });
});

describe('a run', () => {
  const queueOf = (lengths: readonly number[]): QueuedSequence[] =>
    lengths
      .map((length, index) => ({ sequence: sequenceOf(length), index }))
      .sort((a, b) => a.sequence.ids.length - b.sequence.ids.length);

  test.each([
    ['CPU', CPU_FP32],
    ['int8 CPU', CPU_INT8],
    ['graphics', GRAPHICS],
  ])('of %s keeps its bounds, and the runs together take everything once', (_, rules) => {
    const lengths = fc.array(fc.integer({ min: 3, max: 512 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.array(lengths, { minLength: 1, maxLength: 4 }), (requests) => {
        const queues = requests.map(queueOf);
        const total = requests.flat().length;
        let seen = 0;
        while (queues.some((queue) => queue.length > 0)) {
          const waiting = queues.filter((queue) => queue.length > 0);
          const { taken, paddedLength } = packRun(waiting, rules);
          const real = taken.flat().map(({ sequence }) => sequence.ids.length);
          expect(real.length).toBeGreaterThan(0);
          expect(Math.max(...real)).toBeLessThanOrEqual(paddedLength);
          expect(paddedLength % rules.lengthStep).toBe(0);
          expect(real.length).toBeLessThanOrEqual(rules.maxSequences);
          if (real.length > 1) expect(real.length * paddedLength).toBeLessThanOrEqual(rules.maxTokens);
          seen += real.length;
        }
        expect(seen).toBe(total);
      }),
    );
  });

  test('wastes at most one slot in twenty on mixed lengths', () => {
    const queue = queueOf(Array.from({ length: 100 }, (_, index) => 20 + ((index * 37) % 400)));
    let real = 0;
    let computed = 0;
    while (queue.length > 0) {
      const { taken, paddedLength } = packRun([queue], CPU_FP32);
      real += taken.flat().reduce((sum, { sequence }) => sum + sequence.ids.length, 0);
      computed += taken.flat().length * paddedLength;
    }
    expect(computed / real).toBeLessThanOrEqual(1.05);
  });
});
