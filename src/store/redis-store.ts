import { randomBytes, randomUUID } from 'node:crypto';
import { AppError, toPublicError } from '../errors.js';
import type { AnswerFrame } from '../frames.js';
import { LOCAL_OWNER } from '../identity/identity.js';
import type { KeyStore, StoredKey } from '../identity/key-store.js';
import type {
  Belonging,
  ConversationStore,
  ConversationSummary,
  StoredMessage,
} from './conversation-store.js';
import type { Feedback, FeedbackStore } from './feedback-store.js';
import type { RedisClient, RedisConnection } from './redis-connection.js';
import type { Trace, TraceStore } from './trace-store.js';
import { toTurns } from './turns.js';

export interface RedisStoreOptions {
  redis: RedisConnection;
  /** Traces kept; the oldest go first. */
  maxTraces?: number;
  /** A server that does not renew its lease for so long is gone, and its answers may be ended by the others. */
  leaseMs?: number;
}

const key = {
  message: (id: string) => `askbase:message:${id}`,
  frames: (id: string) => `askbase:frames:${id}`,
  trace: (id: string) => `askbase:trace:${id}`,
  feedback: (id: string) => `askbase:feedback:${id}`,
  conversation: (id: string) => `askbase:conversation:${id}`,
  messages: (conversationId: string) => `askbase:messages:${conversationId}`,
  server: (id: string) => `askbase:server:${id}`,
  conversations: 'askbase:conversations',
  owned: (owner: string) => `askbase:conversations:${owner}`,
  keys: 'askbase:keys',
  revoked: 'askbase:revoked',
  secrets: 'askbase:secrets',
  running: 'askbase:running',
  traces: 'askbase:traces',
  traceNumbers: 'askbase:trace-numbers',
};

type Store = ConversationStore & TraceStore & FeedbackStore & KeyStore;

/** Conversations looked at in one step where some of them may not be asked for. */
const PAGE = 100;
/** Keys looked at in one step of a scan. */
const SCANNED = 1000;

/**
 * Conversations, traces, feedback and keys in Redis, shared by any number of servers: frames stand in one stream per
 * message, what belongs together is written by one script. Acknowledged is what Redis has acknowledged; how much of
 * that survives its own end is for its `appendonly` and `appendfsync` to say. The connection stays with its owner.
 */
export function createRedisStore({ redis, maxTraces = 10_000, leaseMs = 15_000 }: RedisStoreOptions): Store {
  const server = randomUUID() as string;
  const renewLease = (): Promise<unknown> =>
    redis.run((client) => client.set(key.server(server), '1', { PX: leaseMs })).catch(() => undefined);
  const renewing = setInterval(() => void renewLease(), leaseMs / 4);
  renewing.unref();
  redis.onReady(() => void renewLease());
  const underWay = new Set<Promise<unknown>>();

  const run = <T>(commands: (client: RedisClient) => Promise<T>): Promise<T> => {
    const work = redis.run(commands);
    const settled: Promise<unknown> = work.then(ignore, ignore).then(() => underWay.delete(settled));
    underWay.add(settled);
    return work;
  };

  const append = async (messageId: string, frames: readonly AnswerFrame[]): Promise<void> => {
    const keys = [key.message(messageId), key.frames(messageId), key.running];
    const result = await run((client) =>
      client.appendFrames(keys, [messageId, ...frames.flatMap(toArguments)]),
    );
    if (result === 'missing') throw new AppError('not-found', 'There is no such message.');
    if (result === 'interrupted') throw new AppError('interrupted');
    if (result === 'gap')
      throw new AppError('internal', undefined, { cause: 'a frame came before its turn' });
  };

  const readMessages = async (conversationId: string): Promise<MessageHash[]> =>
    run(async (client) => {
      const ids = await client.lRange(key.messages(conversationId), 0, -1);
      const hashes = await Promise.all(ids.map((id) => client.hGetAll(key.message(id))));
      return hashes.map((hash, index) => ({ ...hash, messageId: ids[index] }) as unknown as MessageHash);
    });

  const readBelonging = async (conversationId: string): Promise<Belonging | undefined> => {
    const [knowledgeBase, owner] = await run((client) =>
      client.hmGet(key.conversation(conversationId), ['knowledgeBase', 'owner']),
    );
    return knowledgeBase == null || owner == null ? undefined : { knowledgeBase, owner };
  };

  const deleteConversation = async (conversationId: string): Promise<boolean> => {
    const keys = [
      key.conversation(conversationId),
      key.messages(conversationId),
      key.conversations,
      key.running,
      key.traces,
    ];
    return (await run((client) => client.deleteConversation(keys, [conversationId]))) === 1;
  };

  return {
    async startMessage(message) {
      const { conversationId, messageId, knowledgeBase, question, askedAt } = message;
      const { owner = LOCAL_OWNER, regenerates = '' } = message;
      const keys = [
        key.message(messageId),
        key.conversation(conversationId),
        key.messages(conversationId),
        key.conversations,
        key.running,
        key.server(server),
        key.owned(owner),
      ];
      const score = String(-Date.parse(askedAt));
      const attempt = randomUUID();
      const result = await run((client) =>
        client.startMessage(keys, [
          messageId,
          conversationId,
          knowledgeBase,
          question,
          askedAt,
          score,
          server,
          attempt,
          String(leaseMs),
          owner,
          regenerates,
        ]),
      );
      if (result === 'elsewhere') {
        throw new AppError('not-found', 'There is no such conversation in this knowledge base.');
      }
      if (result === 'conflict') throw new AppError('conflict', 'There is a message of this id already.');
    },

    async appendFrames(frames) {
      const byMessage = new Map<string, AnswerFrame[]>();
      for (const frame of frames) {
        byMessage.set(frame.messageId, [...(byMessage.get(frame.messageId) ?? []), frame]);
      }
      await Promise.all([...byMessage].map(([messageId, own]) => append(messageId, own)));
    },

    async readFrames(messageId, afterSeq) {
      const entries = await run((client) => client.xRange(key.frames(messageId), `0-${afterSeq + 2}`, '+'));
      if (entries.length > 0) return entries.map(({ message }) => JSON.parse(message.f as string));
      const exists = await run((client) => client.exists(key.message(messageId)));
      return exists === 1 ? [] : undefined;
    },

    async readMessage(messageId) {
      const hash = await run((client) => client.hGetAll(key.message(messageId)));
      if (hash.conversationId === undefined) return undefined;
      const belonging = await readBelonging(hash.conversationId);
      if (belonging === undefined) return undefined;
      return toStoredMessage({ ...hash, messageId } as unknown as MessageHash, belonging.knowledgeBase);
    },

    async readTurns(conversationId, limit, { before } = {}) {
      return toTurns(await readMessages(conversationId), { limit, before });
    },

    async readConversation(conversationId) {
      const belonging = await readBelonging(conversationId);
      if (belonging === undefined) return undefined;
      const messages = await readMessages(conversationId);
      return messages.map((message) => toStoredMessage(message, belonging.knowledgeBase));
    },

    async listConversations({ limit, owner, knowledgeBases }) {
      const list = owner === undefined ? key.conversations : key.owned(owner);
      const found: ConversationSummary[] = [];
      for (let from = 0; found.length < limit; from += PAGE) {
        const ids = await run((client) => client.zRange(list, from, from + PAGE - 1));
        const page = await run((client) => Promise.all(ids.map((id) => readSummary(client, id))));
        // One that was deleted between the two steps has no knowledge base.
        found.push(
          ...page.filter(
            ({ knowledgeBase }) =>
              knowledgeBase !== undefined &&
              (knowledgeBases === undefined || knowledgeBases.includes(knowledgeBase)),
          ),
        );
        if (ids.length < PAGE) break;
      }
      return found.slice(0, limit);
    },

    async ownerOfMessage(messageId) {
      const conversationId = await run((client) => client.hGet(key.message(messageId), 'conversationId'));
      return conversationId === null ? undefined : readBelonging(conversationId);
    },
    ownerOfConversation: readBelonging,

    deleteConversation,

    async deleteConversations(which) {
      const ids = await run((client) =>
        'owner' in which
          ? client.zRange(key.owned(which.owner), 0, -1)
          : // Scores are times, negated.
            client.zRangeByScore(key.conversations, `(${-Date.parse(which.quietSince)}`, '+inf'),
      );
      let deleted = 0;
      for (const id of ids) if (await deleteConversation(id)) deleted += 1;
      return deleted;
    },

    async interruptRunning({ except = () => false } = {}) {
      const running = await run((client) => client.sMembers(key.running));
      const interrupted = await Promise.all(running.filter((messageId) => !except(messageId)).map(interrupt));
      return interrupted.reduce((sum, count) => sum + count, 0);
    },

    async writeTrace(trace) {
      const { messageId } = trace;
      const keys = [key.message(messageId), key.trace(messageId), key.traces, key.traceNumbers];
      await run((client) => client.writeTrace(keys, [messageId, JSON.stringify(trace), String(maxTraces)]));
    },
    readTrace: async (messageId) =>
      parseMaybe<Trace>(await run((client) => client.get(key.trace(messageId)))),

    async giveFeedback(feedback) {
      const keys = [key.message(feedback.messageId), key.feedback(feedback.messageId)];
      const written = await run((client) => client.giveFeedback(keys, [JSON.stringify(feedback)]));
      if (written === 0) throw new AppError('not-found', 'There is no such message.');
    },
    readFeedback: async (messageId) =>
      parseMaybe<Feedback>(await run((client) => client.get(key.feedback(messageId)))),

    async *readAllFeedback() {
      const read = new Set<string>();
      let cursor = '0';
      do {
        const options = { MATCH: key.feedback('*'), COUNT: SCANNED };
        const page = await run((client) => client.scan(cursor, options));
        cursor = page.cursor;
        for (const name of page.keys) {
          // A scan may come by twice.
          if (read.has(name)) continue;
          read.add(name);
          const feedback = parseMaybe<Feedback>(await run((client) => client.get(name)));
          if (feedback !== undefined) yield feedback;
        }
      } while (cursor !== '0');
    },

    async writeKey(given) {
      await run((client) => client.hSet(key.keys, given.id, JSON.stringify(given)));
    },
    async readKey(id) {
      const [json, revokedAt] = await run((client) =>
        Promise.all([client.hGet(key.keys, id), client.hGet(key.revoked, id)]),
      );
      return json === null ? undefined : toKey(json, revokedAt);
    },
    async listKeys() {
      const [keys, revoked] = await run((client) =>
        Promise.all([client.hGetAll(key.keys), client.hGetAll(key.revoked)]),
      );
      return Object.entries(keys)
        .map(([id, json]) => toKey(json, revoked[id] ?? null))
        .sort((a, b) => (a.createdAt + a.id < b.createdAt + b.id ? -1 : 1));
    },
    async revokeKey(id, at) {
      if ((await run((client) => client.hExists(key.keys, id))) === 0) return false;
      return (await run((client) => client.hSetNX(key.revoked, id, at))) === 1;
    },
    async readSecret(name) {
      await run((client) => client.hSetNX(key.secrets, name, randomBytes(32).toString('base64url')));
      return (await run((client) => client.hGet(key.secrets, name))) as string;
    },

    async close() {
      clearInterval(renewing);
      await Promise.all(underWay);
      await redis.run((client) => client.del(key.server(server))).catch(() => undefined);
    },
  };

  async function interrupt(messageId: string): Promise<number> {
    const conversationId = await run((client) => client.hGet(key.message(messageId), 'conversationId'));
    const head = JSON.stringify({ conversationId, messageId, seq: 0 }).slice(0, -2);
    const error = toPublicError(new AppError('interrupted'));
    const tail = `,${JSON.stringify({ type: 'answer-failed', error }).slice(1)}`;
    const keys = [key.message(messageId), key.frames(messageId), key.running];
    return run((client) => client.interruptMessage(keys, [messageId, server, head, tail]));
  }
}

async function readSummary(client: RedisClient, conversationId: string): Promise<ConversationSummary> {
  const [{ owner: _owner, ...hash }, messages] = await Promise.all([
    client.hGetAll(key.conversation(conversationId)),
    client.lLen(key.messages(conversationId)),
  ]);
  return { conversationId, ...hash, messages } as unknown as ConversationSummary;
}

function toKey(json: string, revokedAt: string | null): StoredKey {
  const given = JSON.parse(json) as StoredKey;
  return revokedAt === null ? given : { ...given, revokedAt };
}

interface MessageHash {
  messageId: string;
  conversationId: string;
  question: string;
  askedAt: string;
  status: StoredMessage['status'];
  regenerates?: string;
  standalone?: string;
  answer?: string;
  reason?: string;
}

function toStoredMessage(hash: MessageHash, knowledgeBase: string): StoredMessage {
  const { messageId, conversationId, question, askedAt, regenerates, status } = hash;
  const version = regenerates === undefined ? {} : { regenerates };
  return { messageId, conversationId, knowledgeBase, question, askedAt, ...version, status };
}

/** What the script needs of a frame: seq, JSON, standalone question, status, answer, why there is none. */
function toArguments(frame: AnswerFrame): string[] {
  const standalone = frame.type === 'answer-started' ? frame.question.standalone : '';
  const status =
    frame.type === 'answer-completed' ? frame.status : frame.type === 'answer-failed' ? 'failed' : '';
  const { text: answer = '', reason = '' } = frame.type === 'answer-completed' ? frame : {};
  return [String(frame.seq), JSON.stringify(frame), standalone, status, answer, reason];
}

function parseMaybe<T>(json: string | null): T | undefined {
  return json === null ? undefined : (JSON.parse(json) as T);
}

function ignore(): void {}
