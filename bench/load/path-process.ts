/** The streaming path alone: tokens of a script, through runner, frames and socket.io. */
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFlushClock } from '../../src/flush-clock.js';
import type { FrameBody } from '../../src/frames.js';
import { createSqliteStore } from '../../src/store/sqlite-store.js';
import { createAccess } from '../../src/stream/access.js';
import { createAnswerRunner } from '../../src/stream/answer-runner.js';
import { createOperatorDesk } from '../../src/stream/operator-desk.js';
import { createRequestLimiter } from '../../src/stream/rate-limiter-flexible-limiter.js';
import { createSocketIoServer } from '../../src/stream/socket-io-server.js';
import { createMemoryHandoffStore } from '../../test/fakes/memory-handoff-store.js';
import { completed, createKnowledgeBases, shop, started } from '../../test/stream/scripted-answers.js';
import { openDoor } from '../../test/support/open-door.js';
import { silentLogger } from '../../test/support/silent-logger.js';
import { serveMethods } from './process-rpc.js';
import { countTokensSent, writeTokens } from './token-source.js';
import { watchUsage } from './usage.js';

export type PathMethods = typeof methods;

const usage = watchUsage();
const durable = process.env.DURABLE === '1';
const noStore = {
  startMessage: async () => undefined,
  appendFrames: async () => undefined,
  readFrames: async () => undefined,
  readMessage: async () => undefined,
  readTurns: async () => [],
  readConversation: async () => undefined,
  ownerOfConversation: async () => undefined,
  ownerOfMessage: async () => undefined,
};
const conversations = durable
  ? await createSqliteStore({ file: join(mkdtempSync(join(tmpdir(), 'askbase-bench-')), 'store.db') })
  : noStore;

const clock = createFlushClock();

/**
 * Tokens as a model's stream is read: the first text at once, then in one piece what has come until the clock ticks. An iterator by
 * hand: a generator around each text would cost as much as what is measured.
 */
function writeAnswer(question: string): AsyncIterableIterator<FrameBody> {
  const first: FrameBody[] = [started(question)];
  let text = '';
  let flows = false;
  let [isWritten, isRead] = [false, false];
  let wake: (() => void) | undefined;
  const come = (): void => {
    const waiting = wake;
    wake = undefined;
    waiting?.();
  };
  writeTokens({
    onToken: (token) => {
      text += token;
      come();
    },
    onEnd: () => {
      isWritten = true;
      come();
    },
  });
  const untilText = (): Promise<void> | undefined =>
    text !== '' || isWritten
      ? undefined
      : new Promise((resolve) => {
          wake = resolve;
        });
  const take = (): IteratorResult<FrameBody> => {
    flows = text !== '';
    isRead = !flows;
    const value: FrameBody = isRead ? completed('Done.') : { type: 'text-delta', text };
    text = '';
    return { value, done: false };
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      const value = first.shift();
      if (value !== undefined) return Promise.resolve({ value, done: false });
      if (isRead) return Promise.resolve({ value: undefined, done: true });
      return (flows ? clock.untilNextTick().then(untilText) : Promise.resolve(untilText())).then(take);
    },
  };
}

const runner = createAnswerRunner({
  pipeline: ({ text }) => writeAnswer(text),
  conversations,
  knowledgeBases: createKnowledgeBases(shop),
  logger: silentLogger,
  limits: { running: 10_000 },
  clock,
});
const httpServer = createServer();
createSocketIoServer({
  httpServer,
  runner,
  access: createAccess(conversations),
  authenticator: openDoor,
  logger: silentLogger,
  giveFeedback: async () => undefined,
  desk: createOperatorDesk({ handoffs: createMemoryHandoffStore(), conversations }),
  eventLimiter: createRequestLimiter({ perMinute: 1_000_000 }),
});
const listening = new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve));

const methods = {
  async url(): Promise<string> {
    await listening;
    return `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`;
  },
  usage,
  tokens: countTokensSent,
};
serveMethods(methods);
