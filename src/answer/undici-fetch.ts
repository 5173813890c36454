import { Agent, errors, fetch } from 'undici';

/**
 * A `fetch` with a time limit of its own for connecting (TCP and TLS); Node's fetch has a fixed one.
 * Waiting for headers and body is not limited here: the caller's signal does that. A request that met a kept connection in the
 * moment in which the service closed it is sent once more.
 */
export function createFetch({ connectMs }: { connectMs: number }): typeof globalThis.fetch {
  const limits = { connect: { timeout: connectMs }, headersTimeout: 0, bodyTimeout: 0 };
  const dispatcher = new Agent(limits);
  /** Keeps no connection: the next one that is kept may be as dead. */
  const fresh = new Agent({ ...limits, pipelining: 0 });
  const fetchWithAgent = async (input: string, init: object): Promise<unknown> => {
    try {
      return await fetch(input, { ...init, dispatcher });
    } catch (thrown) {
      if (!metClosedConnection(thrown)) throw thrown;
      return fetch(input, { ...init, dispatcher: fresh });
    }
  };
  // undici's own Request and Response types differ from the global ones in name only.
  return fetchWithAgent as typeof globalThis.fetch;
}

/** Something was read from the connection before: for an earlier request, since this one has no reply yet. */
function metClosedConnection(thrown: unknown): boolean {
  const { cause } = thrown as { cause?: unknown };
  return cause instanceof errors.SocketError && (cause.socket?.bytesRead ?? 0) > 0;
}
