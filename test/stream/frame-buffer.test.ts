import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FrameBody } from '../../src/frames.js';
import { createFrameBuffer } from '../../src/stream/frame-buffer.js';
import { delta } from './scripted-answers.js';

const mark = (reason: string): FrameBody => ({ type: 'handoff-requested', reason });

interface Reading {
  batches: FrameBody[][];
  done: Promise<void>;
}

function read(buffer: ReturnType<typeof createFrameBuffer>, signal = new AbortController().signal): Reading {
  const batches: FrameBody[][] = [];
  const done = (async () => {
    for await (const batch of buffer.batches({ signal, endWithinMs: 1000 })) batches.push(batch);
  })();
  done.catch(() => undefined);
  return { batches, done };
}

describe('The buffer between pipeline and store', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('gives the first delta at once and joins later ones to one per interval', async () => {
    const buffer = createFrameBuffer({ intervalMs: 33 });
    const { batches, done } = read(buffer);
    buffer.push(delta('a'));
    await vi.advanceTimersByTimeAsync(0);
    expect(batches).toEqual([[delta('a')]]);
    buffer.push(delta('b'));
    await vi.advanceTimersByTimeAsync(20);
    buffer.push(delta('c'));
    await vi.advanceTimersByTimeAsync(12);
    expect(batches).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(batches[1]).toEqual([delta('bc')]);
    buffer.end();
    await done;
  });

  it('gives any other frame at once, after the text before it', async () => {
    const buffer = createFrameBuffer({ intervalMs: 33 });
    const { batches } = read(buffer);
    buffer.push(delta('a'));
    await vi.advanceTimersByTimeAsync(0);
    buffer.push(delta('b'));
    buffer.push(mark('now'));
    buffer.push(delta('c'));
    await vi.advanceTimersByTimeAsync(0);
    expect(batches).toEqual([[delta('a')], [delta('b'), mark('now'), delta('c')]]);
    buffer.end();
  });

  it('gives the rest when the pipeline ends, then passes on its failure', async () => {
    const buffer = createFrameBuffer({ intervalMs: 33 });
    const { batches, done } = read(buffer);
    buffer.push(delta('a'));
    await vi.advanceTimersByTimeAsync(0);
    buffer.push(delta('b'));
    buffer.end({ thrown: new Error('broke') });
    await expect(done).rejects.toThrow('broke');
    expect(batches.flat()).toEqual([delta('a'), delta('b')]);
  });

  it('gives what a stopped pipeline still wrote while it ended, then the reason of the stop', async () => {
    const stop = new AbortController();
    const buffer = createFrameBuffer({ intervalMs: 33 });
    const { batches, done } = read(buffer, stop.signal);
    buffer.push(delta('a'));
    await vi.advanceTimersByTimeAsync(0);
    stop.abort(new Error('stopped'));
    buffer.push(delta('b'));
    await vi.advanceTimersByTimeAsync(500);
    expect(batches).toHaveLength(1);
    buffer.end({ thrown: new Error('aborted inside') });
    await expect(done).rejects.toThrow('stopped');
    expect(batches.flat()).toEqual([delta('a'), delta('b')]);
  });

  it('does not wait for a stopped pipeline for ever', async () => {
    const stop = new AbortController();
    const { done } = read(createFrameBuffer({ intervalMs: 33 }), stop.signal);
    stop.abort(new Error('stopped'));
    await vi.advanceTimersByTimeAsync(1000);
    await expect(done).rejects.toThrow('stopped');
  });
});
