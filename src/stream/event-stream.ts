import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

export interface ServerSentEvent {
  id?: number;
  event?: string;
  /** Sent as it is; one line. */
  data: string;
}

/** A reply as server-sent events. */
export interface EventStream {
  /** Resolves when the client may be sent more. */
  send(event: ServerSentEvent): Promise<void>;
  end(): void;
}

/** Begins the reply. A comment now and then keeps proxies from closing a silent stream. */
export function openEventStream(
  response: ServerResponse,
  { heartbeatMs, signal }: { heartbeatMs: number; signal: AbortSignal },
): EventStream {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-cache, no-transform',
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  const heartbeat = setInterval(() => response.write(': waiting\n\n'), heartbeatMs);
  response.once('close', () => clearInterval(heartbeat));
  return {
    async send({ id, event, data }) {
      const fields = [id === undefined ? '' : `id: ${id}\n`, event === undefined ? '' : `event: ${event}\n`];
      if (signal.aborted || response.write(`${fields.join('')}data: ${data}\n\n`)) return;
      await once(response, 'drain', { signal }).catch(() => undefined);
    },
    end() {
      clearInterval(heartbeat);
      response.end();
    },
  };
}
