import { io } from 'socket.io-client';
import { type AskbaseClient, createAskbaseClient } from '../../src/client/askbase-client.js';
import type { AnswerFrame } from '../../src/frames.js';

/** The client library as the page uses it, quick to come back. */
export function connectClient(url: string): AskbaseClient {
  return createAskbaseClient({
    io: (address, options) =>
      io(address, {
        ...options,
        transports: ['websocket'],
        reconnectionDelay: 10,
        reconnectionDelayMax: 50,
        timeout: 5000,
      }),
    url,
  });
}

export async function allFrames(answer: AsyncIterable<AnswerFrame>): Promise<AnswerFrame[]> {
  const frames: AnswerFrame[] = [];
  for await (const frame of answer) frames.push(frame);
  return frames;
}

/** Throws where a frame is missing, comes twice or out of order. */
export function requireWhole(frames: readonly AnswerFrame[]): void {
  const seqs = frames.map(({ seq }) => seq);
  if (seqs.some((seq, index) => seq !== index)) throw new Error(`frames are not whole: ${seqs.join(' ')}`);
}

export function textOf(frames: readonly AnswerFrame[]): string {
  return frames.map((frame) => (frame.type === 'text-delta' ? frame.text : '')).join('');
}
