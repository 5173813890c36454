import { workerData } from 'node:worker_threads';
import { AppError, toPublicError } from '../errors.js';
import { type AnswerFrame, isFinalFrame } from '../frames.js';
import { LOCAL_OWNER } from '../identity/identity.js';
import type { StoredKey } from '../identity/key-store.js';
import type { Turn } from '../types.js';
import type {
  Belonging,
  ConversationSummary,
  ConversationsToDelete,
  ListOptions,
  MessageToStart,
  StoredMessage,
} from './conversation-store.js';
import type { Feedback } from './feedback-store.js';
import { inTransaction, openDatabase } from './sqlite-database.js';
import { HANDOFF_TABLES, serveHandoffs } from './sqlite-handoffs.js';
import type { Trace } from './trace-store.js';
import { type AskedMessage, toTurns } from './turns.js';
import { serveMethods } from './worker-rpc.js';

const MIGRATIONS = [
  `
  CREATE TABLE conversations (
    conversation_id TEXT PRIMARY KEY,
    knowledge_base TEXT NOT NULL,
    title TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX conversations_by_update ON conversations (updated_at);

  CREATE TABLE messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
    question TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    status TEXT NOT NULL,
    standalone TEXT,
    answer TEXT
  ) STRICT;
  CREATE INDEX messages_by_conversation ON messages (conversation_id);
  CREATE INDEX messages_running ON messages (status) WHERE status = 'running';

  CREATE TABLE frames (
    message INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    frame TEXT NOT NULL,
    PRIMARY KEY (message, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE traces (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL UNIQUE REFERENCES messages ON DELETE CASCADE,
    trace TEXT NOT NULL
  ) STRICT;

  CREATE TABLE feedback (
    message INTEGER PRIMARY KEY REFERENCES messages ON DELETE CASCADE,
    feedback TEXT NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE conversations ADD COLUMN owner TEXT NOT NULL DEFAULT '${LOCAL_OWNER}';
  CREATE INDEX conversations_by_owner ON conversations (owner, updated_at);

  CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    created_at TEXT NOT NULL,
    revoked_at TEXT,
    key TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    secret TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `ALTER TABLE messages ADD COLUMN reason TEXT; ${HANDOFF_TABLES}`,
  'ALTER TABLE messages ADD COLUMN regenerates TEXT',
];

const MESSAGE_COLUMNS = `
  message_id AS messageId, conversation_id AS conversationId, knowledge_base AS knowledgeBase, question,
  asked_at AS askedAt, regenerates, status`;

/** A first version says nothing of versions. */
function toMessage<M = StoredMessage>({ regenerates, ...row }: Record<string, unknown>): M {
  return { ...row, ...(regenerates === null ? {} : { regenerates }) } as M;
}

export type StoreMethods = ReturnType<typeof openStore>;

/**
 * Conversations, traces and feedback in one file. Commits are not flushed to the disk one by one: they survive the
 * death of the process (kill -9), and after a power cut the file is whole and lacks at most the last moments.
 */
function openStore({ file, maxTraces }: { file: string; maxTraces: number }) {
  const database = openDatabase({ file, migrations: MIGRATIONS, survives: 'process-kill' });
  const sql = (text: string) => database.prepare(text);

  const readBelonging = sql(
    'SELECT knowledge_base AS knowledgeBase, owner FROM conversations WHERE conversation_id = ?',
  );
  const readMessageBelonging = sql(
    `SELECT knowledge_base AS knowledgeBase, owner FROM messages JOIN conversations USING (conversation_id)
     WHERE message_id = ?`,
  );
  const writeConversation = sql(
    `INSERT INTO conversations (conversation_id, knowledge_base, title, created_at, updated_at, owner)
     VALUES (?1, ?2, ?3, ?4, ?4, ?5)
     ON CONFLICT (conversation_id) DO UPDATE SET updated_at = max(updated_at, excluded.updated_at)`,
  );
  const writeMessage = sql(
    `INSERT INTO messages (message_id, conversation_id, question, asked_at, regenerates, status)
     VALUES (?, ?, ?, ?, ?, 'running') ON CONFLICT (message_id) DO NOTHING`,
  );
  const findMessage = sql('SELECT number, status FROM messages WHERE message_id = ?');
  const writeFrame = sql('INSERT OR IGNORE INTO frames VALUES (?, ?, ?)');
  const writeStandalone = sql('UPDATE messages SET standalone = ? WHERE number = ?');
  const endMessage = sql('UPDATE messages SET status = ?, reason = ?, answer = ? WHERE number = ?');
  const readFrames = sql('SELECT frame FROM frames WHERE message = ? AND seq > ? ORDER BY seq');
  const readMessage = sql(
    `SELECT ${MESSAGE_COLUMNS} FROM messages JOIN conversations USING (conversation_id) WHERE message_id = ?`,
  );
  const readTurns = sql(
    `SELECT message_id AS messageId, regenerates, status, question, standalone, answer, reason FROM messages
     WHERE conversation_id = ? ORDER BY number`,
  );
  const readMessages = sql(
    `SELECT ${MESSAGE_COLUMNS} FROM messages JOIN conversations USING (conversation_id)
     WHERE conversation_id = ? ORDER BY number`,
  );
  const listConversations = sql(
    `SELECT conversation_id AS conversationId, knowledge_base AS knowledgeBase, title,
            (SELECT count(*) FROM messages m WHERE m.conversation_id = c.conversation_id) AS messages,
            created_at AS createdAt, updated_at AS updatedAt
     FROM conversations c
     WHERE (?2 IS NULL OR owner = ?2) AND (?3 IS NULL OR knowledge_base IN (SELECT value FROM json_each(?3)))
     ORDER BY updated_at DESC, conversation_id LIMIT ?1`,
  );
  const deleteConversation = sql('DELETE FROM conversations WHERE conversation_id = ?');
  const deleteOwned = sql('DELETE FROM conversations WHERE owner = ?');
  const deleteQuiet = sql('DELETE FROM conversations WHERE updated_at < ?');
  const readRunning = sql(
    `SELECT number, message_id AS messageId, conversation_id AS conversationId,
            (SELECT coalesce(max(seq) + 1, 0) FROM frames WHERE message = number) AS seq
     FROM messages WHERE status = 'running'`,
  );
  const writeTrace = sql('INSERT OR REPLACE INTO traces (message, trace) VALUES (?, ?)');
  const boundTraces = sql('DELETE FROM traces WHERE number <= (SELECT max(number) FROM traces) - ?');
  const readTrace = sql(
    'SELECT trace FROM traces JOIN messages m ON m.number = traces.message WHERE message_id = ?',
  );
  const writeFeedback = sql('INSERT OR REPLACE INTO feedback VALUES (?, ?)');
  const readFeedbackPage = sql(
    'SELECT message, feedback FROM feedback WHERE message > ? ORDER BY message LIMIT ?',
  );
  const readFeedback = sql(
    'SELECT feedback FROM feedback JOIN messages m ON m.number = feedback.message WHERE message_id = ?',
  );

  const writeKey = sql('INSERT INTO keys (id, created_at, key) VALUES (?, ?, ?)');
  const readKey = sql('SELECT key, revoked_at AS revokedAt FROM keys WHERE id = ?');
  const listKeys = sql('SELECT key, revoked_at AS revokedAt FROM keys ORDER BY created_at, id');
  const revokeKey = sql('UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL');
  const writeSecret = sql('INSERT OR IGNORE INTO secrets VALUES (?, ?)');
  const readSecret = sql('SELECT secret FROM secrets WHERE name = ?');

  const find = (messageId: string): { number: number; status: StoredMessage['status'] } | undefined =>
    findMessage.get(messageId);

  const appendFrame = (message: number, frame: AnswerFrame): void => {
    writeFrame.run(message, frame.seq, JSON.stringify(frame));
    if (frame.type === 'answer-started') writeStandalone.run(frame.question.standalone, message);
    if (frame.type === 'answer-completed')
      endMessage.run(frame.status, frame.reason ?? null, frame.text, message);
    if (frame.type === 'answer-failed') endMessage.run('failed', null, null, message);
  };

  return {
    ...serveHandoffs(database),

    startMessage(message: MessageToStart): void {
      inTransaction(database, 'write', () => {
        const { messageId, conversationId, knowledgeBase, question, askedAt, regenerates } = message;
        const { owner = LOCAL_OWNER } = message;
        const known = readBelonging.get(conversationId) as Belonging | undefined;
        if (known !== undefined && (known.knowledgeBase !== knowledgeBase || known.owner !== owner)) {
          throw new AppError('not-found', 'There is no such conversation in this knowledge base.');
        }
        writeConversation.run(conversationId, knowledgeBase, question, askedAt, owner);
        const { changes } = writeMessage.run(
          messageId,
          conversationId,
          question,
          askedAt,
          regenerates ?? null,
        );
        if (changes === 0) throw new AppError('conflict', 'There is a message of this id already.');
      });
    },

    /** Gives the ids of messages that are not there; frames of the others are kept. */
    appendFrames(frames: readonly AnswerFrame[]): string[] {
      return inTransaction(database, 'write', () => {
        const missing = new Set<string>();
        const messages = new Map<string, ReturnType<typeof find>>();
        for (const frame of frames) {
          const { messageId } = frame;
          if (!messages.has(messageId)) messages.set(messageId, find(messageId));
          const message = messages.get(messageId);
          if (message === undefined) missing.add(messageId);
          else if (message.status === 'running') appendFrame(message.number, frame);
          if (isFinalFrame(frame)) messages.delete(messageId);
        }
        return [...missing];
      });
    },

    /** Each frame as JSON. */
    readFrames(messageId: string, afterSeq: number): string[] | undefined {
      const message = find(messageId);
      if (message === undefined) return undefined;
      return readFrames.all(message.number, afterSeq).map(({ frame }) => frame as string);
    },

    readMessage(messageId: string): StoredMessage | undefined {
      const row = readMessage.get(messageId);
      return row === undefined ? undefined : toMessage(row);
    },

    readTurns(conversationId: string, limit: number, before: string | undefined): Turn[] {
      const messages = readTurns.all(conversationId).map((row) => toMessage<AskedMessage>(row));
      return toTurns(messages, { limit, before });
    },

    readConversation(conversationId: string): StoredMessage[] | undefined {
      if (readBelonging.get(conversationId) === undefined) return undefined;
      return readMessages.all(conversationId).map((row) => toMessage(row));
    },

    ownerOfMessage: (messageId: string): Belonging | undefined => plain(readMessageBelonging.get(messageId)),

    ownerOfConversation: (conversationId: string): Belonging | undefined =>
      plain(readBelonging.get(conversationId)),

    listConversations: ({ limit, owner, knowledgeBases }: ListOptions): ConversationSummary[] =>
      listConversations
        .all(limit, owner ?? null, knowledgeBases === undefined ? null : JSON.stringify(knowledgeBases))
        .map((row) => ({ ...row })) as ConversationSummary[],

    deleteConversation: (conversationId: string): boolean =>
      inTransaction(database, 'write', () => deleteConversation.run(conversationId).changes > 0),

    deleteConversations: (which: ConversationsToDelete): number =>
      inTransaction(database, 'write', () =>
        Number(
          'owner' in which ? deleteOwned.run(which.owner).changes : deleteQuiet.run(which.quietSince).changes,
        ),
      ),

    readRunning: (): string[] => readRunning.all().map(({ messageId }) => messageId as string),

    interruptRunning: (abandoned: readonly string[]): number =>
      inTransaction(database, 'write', () => {
        const running = readRunning.all().filter(({ messageId }) => abandoned.includes(messageId));
        for (const { number, messageId, conversationId, seq } of running) {
          const error = toPublicError(new AppError('interrupted'));
          appendFrame(number, { conversationId, messageId, seq, type: 'answer-failed', error });
        }
        return running.length;
      }),

    writeTrace(trace: Trace): void {
      inTransaction(database, 'write', () => {
        const message = find(trace.messageId);
        if (message === undefined) return;
        writeTrace.run(message.number, JSON.stringify(trace));
        boundTraces.run(maxTraces);
      });
    },

    readTrace: (messageId: string): string | undefined => readTrace.get(messageId)?.trace,

    giveFeedback(feedback: Feedback): void {
      inTransaction(database, 'write', () => {
        const message = find(feedback.messageId);
        if (message === undefined) throw new AppError('not-found', 'There is no such message.');
        writeFeedback.run(message.number, JSON.stringify(feedback));
      });
    },

    readFeedback: (messageId: string): string | undefined => readFeedback.get(messageId)?.feedback,

    /** By number of the message, from the one behind `after` on. */
    readFeedbackPage: (after: number, limit: number): { message: number; feedback: string }[] =>
      readFeedbackPage.all(after, limit) as { message: number; feedback: string }[],

    writeKey(key: StoredKey): void {
      inTransaction(database, 'write', () => writeKey.run(key.id, key.createdAt, JSON.stringify(key)));
    },

    readKey: (id: string): StoredKey | undefined => toKey(readKey.get(id)),

    listKeys: (): StoredKey[] => listKeys.all().map((row) => toKey(row) as StoredKey),

    revokeKey: (id: string, at: string): boolean =>
      inTransaction(database, 'write', () => revokeKey.run(at, id).changes > 0),

    /** Whoever comes first sets it; the others read that one. */
    readSecret: (name: string, proposed: string): string =>
      inTransaction(database, 'write', () => {
        writeSecret.run(name, proposed);
        return (readSecret.get(name) as { secret: string }).secret;
      }),

    close: (): void => database.close(),
  };
}

function toKey(row: { key: string; revokedAt: string | null } | undefined): StoredKey | undefined {
  if (row === undefined) return undefined;
  const key = JSON.parse(row.key) as StoredKey;
  return row.revokedAt === null ? key : { ...key, revokedAt: row.revokedAt };
}

/** Rows come without a prototype; a copy is an object like any other. */
function plain<T>(row: T | undefined): T | undefined {
  return row === undefined ? undefined : { ...row };
}

serveMethods(() => openStore(workerData as { file: string; maxTraces: number }));
