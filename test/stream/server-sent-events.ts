export interface ReadEvent {
  id?: number;
  event?: string;
  data: string;
}

/** Reads an event stream as it comes; comments are skipped. */
export async function* readEvents(response: Response): AsyncGenerator<ReadEvent> {
  if (response.body === null) throw new Error('no body');
  let buffered = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    buffered += text;
    const blocks = buffered.split('\n\n');
    buffered = blocks.pop() ?? '';
    for (const block of blocks) {
      if (!block.startsWith(':')) yield parseEvent(block);
    }
  }
}

function parseEvent(block: string): ReadEvent {
  const read: ReadEvent = { data: '' };
  for (const line of block.split('\n')) {
    const [name, value = ''] = line.split(/: (.*)/s);
    if (name === 'id') read.id = Number(value);
    if (name === 'event') read.event = value;
    if (name === 'data') read.data += value;
  }
  return read;
}
