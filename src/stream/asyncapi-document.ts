import { z } from 'zod';
import { clientEvents, serverEvents } from './socket-events.js';

const CHANNEL = { $ref: '#/channels/root' };

/** The socket.io protocol, from the schemas that the server checks with. */
export function createAsyncApiDocument(version: string): object {
  const sent = Object.entries(clientEvents);
  const received = Object.entries(serverEvents);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Askbase over socket.io',
      version,
      description:
        'Namespace `/`. An event carries one payload and, where the client wants one, an ack with ' +
        '`{ok: true, …}` or `{ok: false, error}`. A failure without an ack comes as `request-failed`, and so does ' +
        'an unknown event.',
    },
    defaultContentType: 'application/json',
    channels: {
      root: {
        address: '/',
        messages: Object.fromEntries(
          [...sent, ...received].flatMap(([name, event]) => [
            [name, { name, summary: describe(event), payload: toJsonSchema(event.payload) }],
            ...('ack' in event
              ? [[`${name}-ack`, { name: `${name} ack`, payload: toJsonSchema(event.ack) }]]
              : []),
          ]),
        ),
      },
    },
    operations: Object.fromEntries([
      ...sent.map(([name]) => [
        name,
        {
          action: 'receive',
          channel: CHANNEL,
          messages: [messageReference(name)],
          reply: { channel: CHANNEL, messages: [messageReference(`${name}-ack`)] },
        },
      ]),
      ...received.map(([name]) => [
        name,
        { action: 'send', channel: CHANNEL, messages: [messageReference(name)] },
      ]),
    ]),
  };
}

function describe(event: { summary: string; scopes?: readonly string[] }): string {
  return event.scopes === undefined
    ? event.summary
    : `${event.summary} Needs the scope ${event.scopes.join(' or ')}.`;
}

function messageReference(name: string): { $ref: string } {
  return { $ref: `#/channels/root/messages/${name}` };
}

function toJsonSchema(schema: z.ZodType): object {
  const { $schema: _, ...jsonSchema } = z.toJSONSchema(schema, { io: 'input' });
  return jsonSchema;
}
