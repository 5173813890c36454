import type { NoAnswerReason } from '../frames.js';
import type { Turn } from '../types.js';
import type { StoredMessage } from './conversation-store.js';

/** What a store knows of a message when its conversation goes on; null or absent where it has none. */
export type AskedMessage = Pick<StoredMessage, 'messageId' | 'regenerates' | 'status' | 'question'> & {
  standalone?: string | null;
  answer?: string | null;
  reason?: string | null;
};

/** Without an answer the question still tells what the conversation is about. */
const ABOUT_KNOWLEDGE: ReadonlySet<string> = new Set<NoAnswerReason>([
  'no-hits',
  'below-threshold',
  'out-of-scope',
  'dependency-down',
]);

/**
 * The last `limit` turns of a conversation, oldest first; those before `before` where that is given. Of the versions of
 * an answer the last stands in the place of the first, one that was answered before one that was not.
 *
 * @param messages every message of the conversation in the order they were asked
 */
export function toTurns(
  messages: readonly AskedMessage[],
  { limit, before }: { limit: number; before?: string | undefined },
): Turn[] {
  const originals = messages
    .filter(({ regenerates }) => regenerates === undefined)
    .map(({ messageId }) => messageId);
  const last = new Map<string, Turn>();
  for (const message of messages) {
    const turn = toTurn(message);
    const original = message.regenerates ?? message.messageId;
    if (turn !== undefined && (turn.unanswered !== true || !last.has(original))) last.set(original, turn);
  }
  const end = before === undefined ? originals.length : originals.indexOf(before);
  return originals
    .slice(0, end)
    .flatMap((original) => last.get(original) ?? [])
    .slice(-limit);
}

function toTurn({ status, reason, question, standalone, answer }: AskedMessage): Turn | undefined {
  const turn = { question, standalone: standalone ?? question, answer: answer ?? '' };
  if (status === 'answered') return turn;
  if (reason === 'clarification') return { ...turn, asksBack: true };
  return ABOUT_KNOWLEDGE.has(reason ?? '') ? { ...turn, unanswered: true } : undefined;
}
