/** A language model's service: streams tokens at an even pace, each saying when it was written. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { clock, serveMethods, timedWord } from './process-rpc.js';

export type ModelMethods = typeof methods;

const SENTENCE = 20;
let pace = { tokens: 100, perSecond: 50 };
/** By the mark `#…#` in the question: when the request came, and when it was cancelled. */
const seen = new Map<string, { at: number; cancelledAt?: number }>();

const server = createServer((request, response) => {
  void readText(request).then((body) => {
    const mark = /#(\w+)#/.exec(body)?.[1] ?? '';
    const entry: { at: number; cancelledAt?: number } = { at: clock() };
    if (mark !== '') seen.set(mark, entry);
    response.once('close', () => {
      if (!response.writableFinished) entry.cancelledAt = clock();
    });
    if ((JSON.parse(body) as { stream?: boolean }).stream === true) stream(response);
    else response.end(JSON.stringify({ choices: [{ message: { role: 'assistant', content: 'ok' } }] }));
  });
});

function stream(response: ServerResponse): void {
  const { tokens, perSecond } = pace;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const start = performance.now();
  let sent = 0;
  const send = (delta: object, rest: object = {}): void => {
    const choices = [{ index: 0, delta, finish_reason: null }];
    response.write(
      `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 0, model: 'm', choices, ...rest })}\n\n`,
    );
  };
  const step = (): void => {
    if (response.destroyed) return;
    // Late timers are made up for: the pace is kept on average.
    while (sent < tokens && performance.now() - start >= (sent * 1000) / perSecond) {
      sent += 1;
      send({ content: `${timedWord()}${sent % SENTENCE === 0 || sent === tokens ? ' [1]. ' : ' '}` });
    }
    if (sent < tokens) {
      setTimeout(step, start + (sent * 1000) / perSecond - performance.now());
      return;
    }
    send({}, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
    send({}, { choices: [], usage: { prompt_tokens: 500, completion_tokens: tokens } });
    response.end('data: [DONE]\n\n');
  };
  step();
}

const listening = new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const methods = {
  async url(): Promise<string> {
    await listening;
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  },
  setPace(next: typeof pace): void {
    pace = next;
  },
  seen: (mark: string) => seen.get(mark),
};
serveMethods(methods);
