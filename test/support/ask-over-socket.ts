import { io } from 'socket.io-client';
import { expect } from 'vitest';
import { type AnswerFrame, isFinalFrame } from '../../src/frames.js';

/** Asks over a socket of its own; resolves to every frame once the last one has come. */
export async function askOverSocket(
  url: string,
  question: object,
  onFrame: (frame: AnswerFrame) => void = () => undefined,
): Promise<AnswerFrame[]> {
  const socket = io(url, { forceNew: true });
  try {
    const frames: AnswerFrame[] = [];
    const done = new Promise<void>((resolve) => {
      socket.on('frame', (frame: AnswerFrame) => {
        frames.push(frame);
        onFrame(frame);
        if (isFinalFrame(frame)) resolve();
      });
    });
    const ack = (await socket.emitWithAck('question-ask', question)) as { ok: boolean };
    expect(ack.ok).toBe(true);
    await done;
    return frames;
  } finally {
    socket.close();
  }
}
