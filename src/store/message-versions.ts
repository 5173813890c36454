import type { StoredMessage } from './conversation-store.js';

type Version = Pick<StoredMessage, 'messageId' | 'regenerates'>;

/**
 * Of the versions of an answer the last, in the place of the first; those before `before` where that is given.
 *
 * @param usable messages in the order they were asked, versions that are no answer left out
 * @param all every message of the conversation in that order
 */
export function lastVersions<M extends Version>(
  usable: readonly M[],
  { all, before }: { all: readonly Version[]; before?: string | undefined },
): M[] {
  const originals = all
    .filter(({ regenerates }) => regenerates === undefined)
    .map(({ messageId }) => messageId);
  const last = new Map(usable.map((message) => [message.regenerates ?? message.messageId, message]));
  const end = before === undefined ? originals.length : originals.indexOf(before);
  return originals.slice(0, end).flatMap((original) => last.get(original) ?? []);
}
