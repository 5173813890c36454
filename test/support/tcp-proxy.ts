import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network between client and server that the test can break. */
export interface TcpProxy {
  readonly port: number;
  readonly url: string;
  /** Where new connections go. */
  routeTo(url: string): void;
  /** Every piece of data waits so long, in both directions. */
  delay(milliseconds: number): void;
  /** Cuts every connection there is. */
  cut(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(target: string): Promise<TcpProxy> {
  let to = new URL(target);
  let delayMs = 0;
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  };
  const pass = (from: Socket, into: Socket): void => {
    let last = Promise.resolve();
    from.on('data', (data) => {
      const due = performance.now() + delayMs;
      last = last.then(async () => {
        const wait = due - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        if (!into.destroyed) into.write(data);
      });
    });
    from.once('close', () => void last.then(() => into.end()));
  };
  const server = createServer((client) => {
    const upstream = connect(Number(to.port), to.hostname === 'localhost' ? '127.0.0.1' : to.hostname);
    for (const socket of [client, upstream]) track(socket);
    pass(client, upstream);
    pass(upstream, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    routeTo(url) {
      to = new URL(url);
    },
    delay(milliseconds) {
      delayMs = milliseconds;
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
