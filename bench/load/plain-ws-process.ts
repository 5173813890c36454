/** The peer of the streaming path: `ws` alone, each token sent by itself as it comes. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { serveMethods } from './process-rpc.js';
import { countTokensSent, writeTokens } from './token-source.js';
import { watchUsage } from './usage.js';

export type PlainMethods = typeof methods;

const usage = watchUsage();
const httpServer = createServer();
new WebSocketServer({ server: httpServer }).on('connection', (socket) => {
  socket.on('message', () => {
    let seq = 0;
    writeTokens({
      onToken(text) {
        socket.send(JSON.stringify({ seq, type: 'text-delta', text }));
        seq += 1;
      },
      onEnd: () => socket.send(JSON.stringify({ seq, type: 'answer-completed' })),
    });
  });
});
const listening = new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve));

const methods = {
  async url(): Promise<string> {
    await listening;
    return `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`;
  },
  usage,
  tokens: countTokensSent,
};
serveMethods(methods);
