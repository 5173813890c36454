import { AsyncLocalStorage } from 'node:async_hooks';

/** Where a request came from, for limits: what is shared fairly is shared between these. */
export interface Caller {
  /** Of the network. */
  address: string;
  /** Of socket.io; absent for HTTP. */
  socketId?: string;
  /** Names the key or token that was shown; absent where none was asked for. */
  key?: string;
}

interface RequestContext {
  requestId: string;
  caller?: Caller;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** Runs something, and all that it starts, under a request's id: every log line carries it. */
export function inRequest<T>(requestId: string, run: () => T, caller?: Caller): T {
  return storage.run({ requestId, ...(caller === undefined ? {} : { caller }) }, run);
}

/** Runs something, and all that it starts, on behalf of a caller, under the request's id. */
export function onBehalfOf<T>(caller: Caller, run: () => T): T {
  return storage.run({ requestId: currentRequestId() ?? 'none', caller }, run);
}

export function currentRequestId(): string | undefined {
  return storage.getStore()?.requestId;
}

/** Undefined outside a request. */
export function currentCaller(): Caller | undefined {
  return storage.getStore()?.caller;
}
