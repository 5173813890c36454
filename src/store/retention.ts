import { toAppError } from '../errors.js';
import type { Logger } from '../telemetry/logger.js';
import type { ConversationStore } from './conversation-store.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface RetentionOptions {
  store: Pick<ConversationStore, 'deleteConversations'>;
  /** Days since the last message; undefined: nothing is deleted. */
  days: number | undefined;
  logger: Logger;
  now?: () => number;
}

/** Deletes what is older than it may become: now, and every hour. Returns what ends that. */
export function keepRetention({ store, days, logger, now = Date.now }: RetentionOptions): () => void {
  if (days === undefined) return () => undefined;
  const clear = async (): Promise<void> => {
    try {
      const quietSince = new Date(now() - days * DAY_MS).toISOString();
      const conversations = await store.deleteConversations({ quietSince });
      if (conversations > 0) logger.info('Old conversations were deleted.', { conversations, days });
    } catch (thrown) {
      logger.warn('Old conversations could not be deleted.', { error: toAppError(thrown) });
    }
  };
  void clear();
  const timer = setInterval(() => void clear(), HOUR_MS).unref();
  return () => clearInterval(timer);
}
