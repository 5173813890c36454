import { createParser } from 'eventsource-parser';

/** Of one event; more of it is not held. */
const MOST_CHARACTERS = 1_000_000;

/**
 * The data of the server-sent events in a reply: of all that have come since the last read, however they were cut. Throws
 * where an event does not come to its end.
 */
export async function* readEventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  let data: string[] = [];
  const parser = createParser({
    maxBufferSize: MOST_CHARACTERS,
    onEvent: (event) => {
      data.push(event.data);
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    if (data.length === 0) continue;
    const come = data;
    data = [];
    yield come;
  }
}
