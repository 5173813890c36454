import { type OutgoingHttpHeaders, request } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import fc from 'fast-check';
import { io } from 'socket.io-client';
import { z } from 'zod';
import { ERROR_TABLE } from '../../src/errors.js';
import { errorReplySchema } from '../../src/stream/reply-schemas.js';
import { clientEvents } from '../../src/stream/socket-events.js';
import { createOpenApiDocument } from '../../src/stream/zod-to-openapi-document.js';
import { arbitraryOf, type JsonSchema } from './schema-arbitrary.js';

export interface FuzzOptions {
  url: string;
  seed: number;
  /** Ends at whichever comes first. */
  requests: number;
  untilMs?: number;
  /** An API key, where the server asks for one. */
  token?: string;
}

export interface FuzzReport {
  requests: number;
  events: number;
  /** How often each status, or each code of an acknowledgement, came back. */
  outcomes: Record<string, number>;
  /** What no client must ever see. Empty when all is well. */
  faults: string[];
}

interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, JsonSchema> };
}
interface Operation {
  parameters?: { name: string; in: string; schema: JsonSchema }[];
  requestBody?: { content: Record<string, { schema: JsonSchema }> };
}

/** Traces of our own inside, and of what stands behind us. */
const LEAK = /node_modules|\bat \w+ \(|\/src\/|SQLITE_|ECONNREFUSED|ask_[0-9a-f]{16}_|undefined is not/;

/** Sends what fits each route's and event's schema, more or less, until the time or the number is up. */
export async function fuzzServer(options: FuzzOptions): Promise<FuzzReport> {
  const report: FuzzReport = { requests: 0, events: 0, outcomes: {}, faults: [] };
  const document = createOpenApiDocument('fuzz') as OpenApi;
  const resolve = (reference: string): JsonSchema =>
    document.components.schemas[reference.split('/').at(-1) as string] as JsonSchema;
  const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => callArbitrary(method, path, operation, resolve)),
  );
  const events = Object.entries(clientEvents).map(([event, { payload }]) => {
    const schema = z.toJSONSchema(payload, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
    return arbitraryOf(schema, resolve).map((value) => ({ event, payload: value }));
  });
  const tries = fc.oneof(
    { weight: 4, arbitrary: fc.oneof(...calls) },
    { weight: 1, arbitrary: fc.oneof(...events) },
  );
  const count = (outcome: string): void => {
    report.outcomes[outcome] = (report.outcomes[outcome] ?? 0) + 1;
  };

  let number = 0;
  await fc.assert(
    fc.asyncProperty(tries, async (attempt) => {
      number += 1;
      if ('event' in attempt) {
        report.events += 1;
        count(await emit(options, attempt, report.faults));
      } else {
        report.requests += 1;
        count(await call(options, attempt, number, report.faults));
      }
    }),
    {
      numRuns: options.requests,
      seed: options.seed,
      endOnFailure: true,
      ...(options.untilMs === undefined
        ? {}
        : { interruptAfterTimeLimit: options.untilMs - performance.now(), markInterruptAsFailure: false }),
    },
  );
  const alive = await call(options, { method: 'get', path: '/healthz' }, 0, report.faults);
  if (alive !== '200') report.faults.push(`/healthz answers ${alive} afterwards`);
  return report;
}

interface Call {
  method: string;
  path: string;
  body?: unknown;
  accept?: string;
}

function callArbitrary(
  method: string,
  path: string,
  { parameters = [], requestBody }: Operation,
  resolve: (reference: string) => JsonSchema,
): fc.Arbitrary<Call> {
  const schema = requestBody?.content['application/json']?.schema;
  return fc
    .record({
      values: fc.tuple(...parameters.map(({ schema: part }) => arbitraryOf(part, resolve))),
      body: schema === undefined ? fc.constant(undefined) : arbitraryOf(schema, resolve),
      accept: fc.constantFrom('application/json', 'text/event-stream', '*/*', ''),
    })
    .map(({ values, body, accept }) => ({ method, path: fillIn(path, parameters, values), body, accept }));
}

function fillIn(path: string, parameters: NonNullable<Operation['parameters']>, values: unknown[]): string {
  const query = new URLSearchParams();
  let filled = path;
  for (const [at, { name, in: place }] of parameters.entries()) {
    const given = values[at];
    const value = Buffer.from(typeof given === 'string' ? given : JSON.stringify(given)).toString();
    if (place === 'query') query.append(name, value);
    else filled = filled.replace(`{${name}}`, encodeURIComponent(value));
  }
  return query.size === 0 ? filled : `${filled}?${query}`;
}

/** Every hundred requests come from another loopback address: a limit per address would hide what is behind it. */
async function call(
  { url, token }: FuzzOptions,
  { method, path, body, accept }: Call,
  number: number,
  faults: string[],
): Promise<string> {
  const content = body === undefined ? undefined : JSON.stringify(body);
  const headers: OutgoingHttpHeaders = {
    ...(accept === undefined || accept === '' ? {} : { accept }),
    ...(content === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const block = Math.floor(number / 100);
  const localAddress = `127.${1 + (block >> 8)}.${block & 255}.1`;
  const where = `${method} ${path} ${content?.slice(0, 300) ?? ''}`;
  try {
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const sent = request(new URL(path, url.replace('localhost', '127.0.0.1')), {
        method: method.toUpperCase(),
        headers,
        localAddress,
      });
      sent.setTimeout(60_000, () => sent.destroy(new Error('no answer within a minute')));
      sent.once('error', reject).once('response', (response) => {
        readText(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
      });
      sent.end(content);
    });
    if (status === 500) faults.push(`${where} -> 500 ${text.slice(0, 200)}`);
    if (status >= 400 && !errorReplySchema.safeParse(parse(text)).success && !path.startsWith('/readyz')) {
      faults.push(`${where} -> ${status} of another shape: ${text.slice(0, 200)}`);
    }
    if (!path.startsWith('/openapi') && !path.startsWith('/asyncapi') && LEAK.test(text)) {
      faults.push(`${where} -> shows what is inside: ${LEAK.exec(text)?.[0]}`);
    }
    return String(status);
  } catch (thrown) {
    faults.push(`${where} -> ${String(thrown)}`);
    return 'broken';
  }
}

async function emit(
  { url, token }: FuzzOptions,
  attempt: { event: string; payload: unknown },
  faults: string[],
): Promise<string> {
  const socket = io(url, { forceNew: true, reconnection: false, transports: ['websocket'], auth: { token } });
  try {
    const ack = (await socket.timeout(60_000).emitWithAck(attempt.event, attempt.payload)) as {
      ok: boolean;
      error?: { code: string };
    };
    const code = ack.ok ? 'ok' : String(ack.error?.code);
    if (code === 'internal' || (!ack.ok && !(code in ERROR_TABLE)))
      faults.push(`${JSON.stringify(attempt)} -> ${code}`);
    return `event ${code}`;
  } catch (thrown) {
    faults.push(`${JSON.stringify(attempt).slice(0, 300)} -> ${String(thrown)}`);
    return 'event broken';
  } finally {
    socket.close();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
