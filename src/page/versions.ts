import type { Exchange } from './room.js';

/** One answer's, first to last. */
export type Versions = [Exchange, ...Exchange[]];

/** The exchanges by answer, in the order of the first versions. */
export function groupVersions(exchanges: readonly Exchange[]): Versions[] {
  const groups = new Map<string | number, Versions>();
  for (const exchange of exchanges) {
    const first = exchange.versionOf ?? exchange.messageId ?? exchange.key;
    const versions = groups.get(first);
    if (versions === undefined) groups.set(first, [exchange]);
    else versions.push(exchange);
  }
  return [...groups.values()];
}
