/** The streaming path alone: tokens of a script, through runner, frames and socket.io. */
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

const runner = createAnswerRunner({
  async *pipeline({ text }, { signal }) {
    yield started(text);
    const arrived: string[] = [];
    let ended = false;
    let wake: () => void = () => undefined;
    writeTokens({
      onToken(token) {
        arrived.push(token);
        wake();
      },
      onEnd() {
        ended = true;
        wake();
      },
    });
    while (!ended || arrived.length > 0) {
      const token = arrived.shift();
      if (token !== undefined) yield { type: 'text-delta', text: token };
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      signal.throwIfAborted();
    }
    yield completed('Done.');
  },
  conversations,
  knowledgeBases: createKnowledgeBases(shop),
  logger: silentLogger,
  limits: { running: 10_000 },
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
