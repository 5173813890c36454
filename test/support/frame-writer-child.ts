/**
 * Streams answers into a store forever and says after each frame that it was acknowledged. Started as a child process
 * by the test that kills it.
 */
import { createSqliteStore } from '../../src/store/sqlite-store.js';
import { completedBody, framesOf, startedBody } from './frames.js';

const [file, run] = process.argv.slice(2);
const store = await createSqliteStore({ file: file as string });
for (let number = 0; ; number += 1) {
  const messageId = `${run}-${number}`;
  await store.startMessage({
    conversationId: 'c1',
    messageId,
    knowledgeBase: 'shop',
    question: 'q',
    askedAt: '2026-11-21T00:00:00.000Z',
  });
  const bodies = [startedBody('q'), { type: 'text-delta', text: 'half' } as const, completedBody('half')];
  for (const frame of framesOf('c1', messageId, bodies)) {
    await store.appendFrames([frame]);
    process.stdout.write(`${messageId} ${frame.seq}\n`);
  }
}
