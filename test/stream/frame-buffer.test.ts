import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFlushClock } from '../../src/flush-clock.js';
import type { FrameBody } from '../../src/frames.js';
import { createFrameBuffer, type FrameBuffer } from '../../src/stream/frame-buffer.js';
import { createGate, delta } from './scripted-answers.js';

const mark = (reason: string): FrameBody => ({ type: 'handoff-requested', reason });

interface Setup {
  buffer: FrameBuffer;
  batches: FrameBody[][];
  failures: unknown[];
}

function setUp(write: (batch: FrameBody[]) => Promise<void> = async () => undefined): Setup {
  const batches: FrameBody[][] = [];
  const failures: unknown[] = [];
  const buffer = createFrameBuffer({
    clock: createFlushClock(),
    write(batch) {
      batches.push(batch);
      return write(batch);
    },
    onFailure: (thrown) => failures.push(thrown),
  });
  return { buffer, batches, failures };
}

describe('The buffer between pipeline and store', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('writes the first delta at once and joins later ones to one per tick of the clock', async () => {
    const { buffer, batches } = setUp();
    buffer.push(delta('a'));
    expect(batches).toEqual([[delta('a')]]);
    await vi.advanceTimersByTimeAsync(1);
    buffer.push(delta('b'));
    await vi.advanceTimersByTimeAsync(20);
    buffer.push(delta('c'));
    await vi.advanceTimersByTimeAsync(12);
    expect(batches).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(batches[1]).toEqual([delta('bc')]);
  });

  it('does not hold back a delta that comes after a longer silence', async () => {
    const { buffer, batches } = setUp();
    buffer.push(delta('a'));
    await vi.advanceTimersByTimeAsync(100);
    buffer.push(delta('b'));
    expect(batches).toEqual([[delta('a')], [delta('b')]]);
  });

  it('writes any other frame at once, after the text before it', async () => {
    const { buffer, batches } = setUp();
    buffer.push(delta('a'));
    buffer.push(delta('b'));
    buffer.push(mark('now'));
    buffer.push(delta('c'));
    await vi.advanceTimersByTimeAsync(0);
    expect(batches).toEqual([[delta('a')], [delta('b'), mark('now'), delta('c')]]);
  });

  it('gathers while a batch is being written, however long that takes', async () => {
    const gate = createGate();
    const { buffer, batches } = setUp(() => gate.opened);
    buffer.push(delta('a'));
    buffer.push(mark('first'));
    await vi.advanceTimersByTimeAsync(100);
    buffer.push(mark('second'));
    expect(batches).toEqual([[delta('a')]]);
    gate.open();
    await vi.advanceTimersByTimeAsync(0);
    expect(batches[1]).toEqual([mark('first'), mark('second')]);
  });

  it('writes the rest when it ends, and nothing that comes later', async () => {
    const { buffer, batches } = setUp();
    buffer.push(delta('a'));
    buffer.push(delta('b'));
    await buffer.end();
    buffer.push(delta('c'));
    await vi.advanceTimersByTimeAsync(100);
    expect(batches).toEqual([[delta('a')], [delta('b')]]);
  });

  it('writes nothing after a batch that could not be written, says so at once and again when it ends', async () => {
    const { buffer, batches, failures } = setUp(() => Promise.reject(new Error('disk full')));
    buffer.push(delta('a'));
    buffer.push(mark('next'));
    await vi.advanceTimersByTimeAsync(100);
    expect(failures).toEqual([new Error('disk full')]);
    await expect(buffer.end()).rejects.toThrow('disk full');
    expect(batches).toEqual([[delta('a')]]);
  });
});
