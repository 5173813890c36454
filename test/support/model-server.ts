import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';

/** What happens next in a streamed reply. A plain string is one text delta. */
export type ModelStep =
  | string
  /** Thinking of a reasoning model, in `reasoning_content`. */
  | { reasoning: string }
  /** Goes on when the promise resolves. */
  | { wait: Promise<unknown> }
  /** Sends nothing more; the connection stays open until the client leaves. */
  | { stall: true }
  /** Cuts the connection. */
  | { hangUp: true }
  /** These bytes as they are: garbage, half frames, invalid UTF-8. */
  | { raw: string | Uint8Array };

export type ModelReply =
  | {
      steps: readonly ModelStep[];
      usage?: { prompt_tokens: number; completion_tokens: number } | null;
      /** `finish_reason` of a reply that comes to its end. */
      finish?: 'stop' | 'length' | 'content_filter';
    }
  /** An answer that is no stream: an error status, or garbage with status 200. */
  | { status: number; body?: string; headers?: Record<string, string> }
  /** Takes the request and never answers, not even with headers. */
  | { silent: true };

export interface ModelRequest {
  path: string;
  headers: IncomingHttpHeaders;
  /** The JSON that was sent. */
  body: {
    model: string;
    stream?: boolean;
    stream_options?: { include_usage?: boolean };
    messages: { role: string; content: string | ContentPart[] }[];
    [setting: string]: unknown;
  };
  /** `completed`: the reply was sent whole. `cancelled`: the client left before, or we hung up. */
  ended: Promise<'completed' | 'cancelled'>;
}

type ContentPart = { type: 'text'; text: string } | { type: 'image_url'; image_url: { url: string } };

export interface ModelServer {
  /** What belongs into OPENAI_BASE_URL. */
  readonly url: string;
  /** Every chat request so far, oldest first. */
  readonly requests: readonly ModelRequest[];
  /** Decides the replies from now on: always the same one, or by request (`index` counts from 0). */
  respond(reply: ModelReply | ((request: ModelRequest, index: number) => ModelReply)): void;
  /** Resolves when that many chat requests have come, with the last of them. */
  arrived(count: number): Promise<ModelRequest>;
  close(): Promise<void>;
}

const USAGE = { prompt_tokens: 100, completion_tokens: 20 };

/** An OpenAI-shaped chat server on loopback that does what the test tells it to. */
export async function startModelServer(
  first: Parameters<ModelServer['respond']>[0] = { steps: ['Hello.'] },
): Promise<ModelServer> {
  let reply = first;
  const requests: ModelRequest[] = [];
  const waiting: { count: number; resolve: (request: ModelRequest) => void }[] = [];

  const server = createServer((incoming, response) => {
    if (incoming.url?.endsWith('/models')) {
      sendJson(response, 200, { object: 'list', data: [{ id: 'scripted', object: 'model' }] });
      return;
    }
    void receive(incoming, response).then((request) => {
      requests.push(request);
      for (const waiter of waiting) if (requests.length >= waiter.count) waiter.resolve(request);
      const chosen = typeof reply === 'function' ? reply(request, requests.length - 1) : reply;
      return perform(chosen, request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    respond(next) {
      reply = next;
    },
    arrived(count) {
      const there = requests[count - 1];
      if (there !== undefined) return Promise.resolve(there);
      return new Promise((resolve) => waiting.push({ count, resolve }));
    },
    close() {
      return new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      });
    },
  };
}

async function receive(incoming: IncomingMessage, response: ServerResponse): Promise<ModelRequest> {
  const ended = new Promise<'completed' | 'cancelled'>((resolve) => {
    response.once('close', () => resolve(response.writableFinished ? 'completed' : 'cancelled'));
  });
  const body = JSON.parse(await readText(incoming)) as ModelRequest['body'];
  return { path: incoming.url ?? '', headers: incoming.headers, body, ended };
}

async function perform(reply: ModelReply, request: ModelRequest, response: ServerResponse): Promise<void> {
  if ('silent' in reply) return;
  if ('status' in reply) {
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    response.end(reply.body ?? JSON.stringify({ error: { message: 'scripted failure' } }));
    return;
  }
  const usage = reply.usage === undefined ? USAGE : reply.usage;
  const { steps, finish = 'stop' } = reply;
  if (request.body.stream === true) await stream(steps, { usage, finish }, request, response);
  else sendWhole(steps, usage, request, response);
}

async function stream(
  steps: readonly ModelStep[],
  { usage, finish }: { usage: object | null; finish: string },
  request: ModelRequest,
  response: ServerResponse,
): Promise<void> {
  const send = (fields: object): void => {
    const chunk = {
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 0,
      model: request.body.model,
    };
    response.write(`data: ${JSON.stringify({ ...chunk, ...fields })}\n\n`);
  };
  const delta = (content: object): void =>
    send({ choices: [{ index: 0, delta: content, finish_reason: null }] });

  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  for (const step of steps) {
    if (typeof step === 'string') delta({ content: step });
    else if ('reasoning' in step) delta({ reasoning_content: step.reasoning });
    else if ('raw' in step) response.write(step.raw);
    else if ('wait' in step) await step.wait;
    else if ('stall' in step) return;
    else {
      // What was written so far must leave before the connection goes.
      await new Promise((resolve) => response.write('\n', resolve));
      response.destroy();
      return;
    }
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: finish }] });
  if (usage !== null && request.body.stream_options?.include_usage === true) send({ choices: [], usage });
  response.end('data: [DONE]\n\n');
}

function sendWhole(
  steps: readonly ModelStep[],
  usage: object | null,
  request: ModelRequest,
  response: ServerResponse,
): void {
  const content = steps.filter((step) => typeof step === 'string').join('');
  sendJson(response, 200, {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 0,
    model: request.body.model,
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    ...(usage === null ? {} : { usage }),
  });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
