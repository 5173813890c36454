import { AppError } from '../errors.js';
import type { Handled, Handling, OperatorMessage } from '../handling.js';
import { type Database, inTransaction } from './sqlite-database.js';

export const HANDOFF_TABLES = `
  CREATE TABLE handlings (
    conversation_id TEXT PRIMARY KEY REFERENCES conversations ON DELETE CASCADE,
    state TEXT NOT NULL,
    since TEXT NOT NULL,
    handling TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX handlings_by_state ON handlings (state, since);

  CREATE TABLE operator_messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    operator_message_id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
    after_message_id TEXT,
    operator TEXT NOT NULL,
    text TEXT NOT NULL,
    sent_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX operator_messages_by_conversation ON operator_messages (conversation_id);
`;

/** Messages that people may write in one conversation. */
const MAX_MESSAGES = 1_000;

/** The methods of `HandoffStore`, in the thread of the database. */
export function serveHandoffs(database: Database) {
  const sql = (text: string) => database.prepare(text);
  const findConversation = sql('SELECT 1 FROM conversations WHERE conversation_id = ?');
  const readHandling = sql('SELECT handling FROM handlings WHERE conversation_id = ?');
  const writeHandling = sql('INSERT OR REPLACE INTO handlings VALUES (?, ?, ?, ?)');
  const listHandled = sql(
    `SELECT conversation_id AS conversationId, knowledge_base AS knowledgeBase, handling
     FROM handlings JOIN conversations USING (conversation_id) WHERE state <> 'assistant'
     ORDER BY state = 'operator', since LIMIT ?`,
  );
  const lastMessage = sql(
    `SELECT message_id AS messageId FROM messages WHERE conversation_id = ? ORDER BY number DESC LIMIT 1`,
  );
  const countMessages = sql('SELECT count(*) AS count FROM operator_messages WHERE conversation_id = ?');
  const writeMessage = sql(
    `INSERT INTO operator_messages (operator_message_id, conversation_id, after_message_id, operator, text, sent_at)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const readMessages = sql(
    `SELECT operator_message_id AS operatorMessageId, conversation_id AS conversationId,
            after_message_id AS afterMessageId, operator, text, sent_at AS sentAt
     FROM operator_messages WHERE conversation_id = ? ORDER BY number`,
  );
  const requireConversation = (conversationId: string): void => {
    if (findConversation.get(conversationId) === undefined) {
      throw new AppError('not-found', 'There is no such conversation.');
    }
  };
  const read = (conversationId: string): Handling | undefined => {
    const row = readHandling.get(conversationId) as { handling: string } | undefined;
    return row === undefined ? undefined : (JSON.parse(row.handling) as Handling);
  };

  return {
    readHandling: read,

    changeHandling: (conversationId: string, from: readonly Handling['state'][], to: Handling): Handling =>
      inTransaction(database, 'write', () => {
        requireConversation(conversationId);
        const current = read(conversationId);
        if (!from.includes(current?.state ?? 'assistant')) return current ?? to;
        writeHandling.run(conversationId, to.state, to.since, JSON.stringify(to));
        return to;
      }),

    listHandled: (limit: number): Handled[] =>
      listHandled.all(limit).map((row) => ({
        conversationId: row.conversationId as string,
        knowledgeBase: row.knowledgeBase as string,
        handling: JSON.parse(row.handling as string) as Handling,
      })),

    addOperatorMessage: (message: Omit<OperatorMessage, 'afterMessageId'>): OperatorMessage =>
      inTransaction(database, 'write', () => {
        const { operatorMessageId, conversationId, operator, text, sentAt } = message;
        requireConversation(conversationId);
        if (countMessages.get(conversationId).count >= MAX_MESSAGES) {
          throw new AppError('conflict', 'This conversation is full.');
        }
        const last = lastMessage.get(conversationId) as { messageId: string } | undefined;
        const afterMessageId = last?.messageId ?? null;
        writeMessage.run(operatorMessageId, conversationId, afterMessageId, operator, text, sentAt);
        return { ...message, afterMessageId };
      }),

    readOperatorMessages: (conversationId: string): OperatorMessage[] =>
      readMessages.all(conversationId).map((row) => ({ ...row })) as OperatorMessage[],
  };
}
