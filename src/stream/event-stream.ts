import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { DROP_MS, notReadInTime } from './stalled-client.js';

export interface ServerSentEvent {
  id?: number;
  event?: string;
  /** Sent as it is; one line. */
  data: string;
}
/** A reply as server-sent events. */
export interface EventStream {
  /**
   * Resolves when the client may be sent more. Throws AppError `timeout` where it reads nothing for too long: what is sent
   * then, and has not been read a moment later, is lost with the connection.
   */
  send(event: ServerSentEvent): Promise<void>;
  end(): void;
}

export interface EventStreamOptions {
  /** Time between two comments on a silent stream: they keep proxies from closing it. */
  heartbeatMs: number;
  /** A client that has not read what it was sent by then is dropped; it may come back and go on after its last id. */
  stallMs: number;
  /** Aborts when the client is gone. */
  signal: AbortSignal;
}

/** Begins the reply. A client that does not read is sent nothing more until it does. */
export function openEventStream(
  response: ServerResponse,
  { heartbeatMs, stallMs, signal }: EventStreamOptions,
): EventStream {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-cache, no-transform',
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': waiting\n\n');
  }, heartbeatMs);
  response.once('close', () => clearInterval(heartbeat));
  let dropped = false;
  return {
    async send({ id, event, data }) {
      const fields = [id === undefined ? '' : `id: ${id}\n`, event === undefined ? '' : `event: ${event}\n`];
      if (signal.aborted || response.write(`${fields.join('')}data: ${data}\n\n`) || dropped) return;
      const stalled = AbortSignal.timeout(stallMs);
      await once(response, 'drain', { signal: AbortSignal.any([signal, stalled]) }).catch(() => undefined);
      if (!stalled.aborted || !response.writableNeedDrain) return;
      dropped = true;
      setTimeout(() => response.destroy(), DROP_MS).unref();
      throw notReadInTime();
    },
    end() {
      clearInterval(heartbeat);
      response.end();
    },
  };
}
