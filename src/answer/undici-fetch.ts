import { Agent, fetch } from 'undici';

/**
 * A `fetch` with a time limit of its own for connecting (TCP and TLS); Node's fetch has a fixed one.
 * Waiting for headers and body is not limited here: the caller's signal does that.
 */
export function createFetch({ connectMs }: { connectMs: number }): typeof globalThis.fetch {
  const dispatcher = new Agent({ connect: { timeout: connectMs }, headersTimeout: 0, bodyTimeout: 0 });
  const fetchWithAgent = (input: string, init: object): Promise<unknown> =>
    fetch(input, { ...init, dispatcher });
  // undici's own Request and Response types differ from the global ones in name only.
  return fetchWithAgent as typeof globalThis.fetch;
}
