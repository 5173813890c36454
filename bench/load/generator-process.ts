/**
 * Clients, in a process of their own. They speak socket.io's protocol by hand over `ws`, so that thousands of them cost
 * little beside the server that is measured.
 */
import WebSocket from 'ws';
import { clock, serveMethods, timesIn } from './process-rpc.js';

export type GeneratorMethods = typeof methods;

interface Frame {
  messageId: string;
  seq: number;
  type: string;
  text?: string;
  error?: Failure;
}

interface Failure {
  code: string;
  message: string;
}

interface Client {
  socket: WebSocket;
  emit(event: string, payload: object): Promise<{ ok: boolean; messageId?: string; error?: Failure }>;
  onFrame: (frame: Frame) => void;
}

/** Microseconds: five minutes. */
const LONGEST_DELAY = 300_000_000;

const idle: Client[] = [];
const asking: Client[] = [];

function connect(url: string): Promise<Client> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  const acks = new Map<number, (ack: never) => void>();
  let lastId = 0;
  const client: Client = {
    socket,
    onFrame: () => undefined,
    emit: (event, payload) =>
      new Promise((resolve) => {
        lastId += 1;
        acks.set(lastId, resolve);
        socket.send(`42${lastId}${JSON.stringify([event, payload])}`);
      }),
  };
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.on('message', (bytes: Buffer) => {
      const text = bytes.toString();
      if (text === '2') socket.send('3');
      else if (text.startsWith('0')) socket.send('40');
      else if (text.startsWith('40')) resolve(client);
      else if (text.startsWith('42')) client.onFrame((JSON.parse(text.slice(2)) as [string, Frame])[1]);
      else if (text.startsWith('43')) {
        const start = text.indexOf('[');
        acks.get(Number(text.slice(2, start)))?.((JSON.parse(text.slice(start)) as never[])[0] as never);
      }
    });
  });
}

interface Tally {
  asked: number;
  /** Those whose first text is there, or that have ended. */
  begun: number;
  completed: number;
  /** By code and message: a `timeout` may be of several things. */
  failed: Record<string, number>;
  frames: number;
  deltas: number;
  tokens: number;
  /** Frames that were missing, came twice or out of order. */
  broken: number;
  /** Microseconds from the writing of the oldest token in a delta to its arrival; and of the newest. */
  oldest: number[];
  newest: number[];
}

const newTally = (): Tally => ({
  asked: 0,
  begun: 0,
  completed: 0,
  failed: {},
  frames: 0,
  deltas: 0,
  tokens: 0,
  broken: 0,
  oldest: [],
  newest: [],
});
let tally = newTally();
let measuring = false;

function fail(error: Failure | undefined): void {
  const what = error === undefined ? 'unknown' : `${error.code}: ${error.message}`;
  tally.failed[what] = (tally.failed[what] ?? 0) + 1;
}

/** Asks one question and counts what comes, up to its end. */
async function askOnce(client: Client, question: object): Promise<void> {
  tally.asked += 1;
  let next = 0;
  let begun = false;
  const begin = (): void => {
    if (!begun) tally.begun += 1;
    begun = true;
  };
  const ended = new Promise<void>((resolve) => {
    client.onFrame = (frame) => {
      const now = clock();
      if (frame.seq !== next) tally.broken += 1;
      next = frame.seq + 1;
      if (frame.type === 'text-delta') begin();
      tally.frames += 1;
      if (frame.type === 'text-delta' && measuring) {
        // Half a word, where a delta ends in it, would be a time long ago.
        const times = timesIn(frame.text ?? '').filter((time) => now - time < LONGEST_DELAY);
        tally.deltas += 1;
        tally.tokens += times.length;
        if (times.length > 0) {
          tally.oldest.push(now - (times[0] as number));
          tally.newest.push(now - (times.at(-1) as number));
        }
      }
      if (frame.type === 'answer-completed') tally.completed += 1;
      if (frame.type === 'answer-failed') fail(frame.error);
      if (frame.type === 'answer-completed' || frame.type === 'answer-failed') resolve();
    };
  });
  const ack = await client.emit('question-ask', question);
  if (ack.ok) await ended;
  else fail(ack.error);
  begin();
}

async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next] as T;
      next += 1;
      await run(item);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

let answering: Promise<unknown> = Promise.resolve();

const methods = {
  async connectIdle(url: string, count: number): Promise<number> {
    await inParallel(Array.from({ length: count }), 50, async () => void idle.push(await connect(url)));
    return idle.filter(({ socket }) => socket.readyState === WebSocket.OPEN).length;
  },
  /** Questions one after the other, `everyMs` apart, each on a socket of its own; resolves when all are asked. */
  async startAnswers(url: string, questions: object[], everyMs: number): Promise<void> {
    tally = newTally();
    const running: Promise<void>[] = [];
    for (const question of questions) {
      const client = await connect(url);
      asking.push(client);
      running.push(askOnce(client, question));
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    answering = Promise.all(running);
  },
  begun: (): number => tally.begun,
  measure(on: boolean): void {
    measuring = on;
  },
  async finishAnswers(): Promise<Tally> {
    await answering;
    for (const { socket } of asking.splice(0)) socket.terminate();
    return tally;
  },
  idleStillConnected: (): number => idle.filter(({ socket }) => socket.readyState === WebSocket.OPEN).length,
  disconnectIdle(): void {
    for (const { socket } of idle.splice(0)) socket.terminate();
  },
  /** Questions with so many in flight; per question when it was sent (microseconds). */
  async askMany(
    url: string,
    questions: { knowledgeBase: string; text: string }[],
    atOnce: number,
  ): Promise<number[]> {
    const sent: number[] = [];
    const clients = await Promise.all(Array.from({ length: atOnce }, () => connect(url)));
    await inParallel([...questions.keys()], atOnce, async (index) => {
      const client = clients.pop() as Client;
      sent[index] = clock();
      await askOnce(client, questions[index] as object);
      clients.push(client);
    });
    for (const { socket } of clients) socket.terminate();
    return sent;
  },
  /** Answers of the peer, `everyMs` apart like those of `startAnswers`: timers that fire together would share their cost. */
  async startPlain(url: string, count: number, everyMs: number): Promise<void> {
    tally = newTally();
    const running: Promise<void>[] = [];
    for (let index = 0; index < count; index += 1) {
      running.push(streamPlain(url));
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    answering = Promise.all(running);
  },
  /** Asks, waits for the first text and ends it that way; gives the microsecond in which it did. */
  async stopOne(
    url: string,
    question: object,
    way: 'answer-stop' | 'event-stream' | 'socket',
  ): Promise<number> {
    if (way === 'event-stream') return hangUp(url, question);
    const client = await connect(url);
    const text = new Promise<void>((resolve) => {
      client.onFrame = ({ type }) => {
        if (type === 'text-delta') resolve();
      };
    });
    const { messageId } = await client.emit('question-ask', question);
    await text;
    const at = clock();
    if (way === 'socket') client.socket.terminate();
    else {
      await client.emit('answer-stop', { messageId });
      client.socket.terminate();
    }
    return at;
  },
};

/** One answer of the peer, from its start to its end. */
async function streamPlain(url: string): Promise<void> {
  const socket = new WebSocket(url.replace('http', 'ws'));
  await new Promise((resolve) => socket.once('open', resolve));
  const ended = new Promise<void>((resolve) => {
    socket.on('message', (bytes: Buffer) => {
      const { type } = JSON.parse(bytes.toString()) as Frame;
      if (type === 'answer-completed') resolve();
      else tally.tokens += 1;
    });
  });
  socket.send('go');
  await ended;
  socket.terminate();
}

async function hangUp(url: string, question: object): Promise<number> {
  const leaving = new AbortController();
  const response = await fetch(`${url}/v1/answers`, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify(question),
    signal: leaving.signal,
  });
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(bytes, { stream: true });
    if (text.includes('event: text-delta')) break;
  }
  const at = clock();
  leaving.abort();
  return at;
}

serveMethods(methods);
