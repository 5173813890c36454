import { EventEmitter, once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type KnowledgeWatch, watchKnowledgeFolder } from '../../src/ingest/chokidar-knowledge-watch.js';

let dir: string;
let watch: KnowledgeWatch | undefined;
const events = new EventEmitter();

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'askbase-watch-'));
  await mkdir(join(dir, 'shop'));
  await writeFile(join(dir, 'shop/a.md'), 'One.');
});
afterEach(async () => {
  await watch?.close();
  await rm(dir, { recursive: true, force: true });
});

const start = async (
  onChange = async (id: string): Promise<unknown> => events.emit('change', id),
): Promise<void> => {
  watch = await watchKnowledgeFolder({ dir, onChange, onError: (error) => events.emit('failure', error) });
};
/** Acts, then waits for the next change. */
const changeAfter = async (act: () => Promise<unknown>): Promise<unknown> => {
  const changed = once(events, 'change');
  await act();
  const [id] = await changed;
  return id;
};

describe('watchKnowledgeFolder', () => {
  it('names the knowledge base whose files were added, changed or removed, kb.yaml included', async () => {
    await start();
    expect(await changeAfter(() => writeFile(join(dir, 'shop/b.md'), 'Two.'))).toBe('shop');
    expect(await changeAfter(() => appendFile(join(dir, 'shop/a.md'), ' More.'))).toBe('shop');
    expect(await changeAfter(() => rm(join(dir, 'shop/a.md')))).toBe('shop');
    expect(await changeAfter(() => writeFile(join(dir, 'shop/kb.yaml'), 'title: {en: Shop}'))).toBe('shop');
    expect(await changeAfter(() => mkdir(join(dir, 'handbook')))).toBe('handbook');
  });

  it('sees a file that is written piece by piece once, when it is whole', async () => {
    const seen: string[] = [];
    const whole = once(events, 'change');
    await start(async (id) => {
      seen.push(id);
      events.emit('change', id);
    });
    for (let piece = 0; piece < 20; piece += 1)
      appendFileSync(join(dir, 'shop/long.md'), 'A piece of text. '.repeat(1000));
    await whole;
    expect(seen).toEqual(['shop']);
  });

  it('does not look at hidden files', async () => {
    await start();
    const changed = changeAfter(async () => {
      await mkdir(join(dir, 'hidden'));
      await writeFile(join(dir, 'shop/.draft.md'), 'x');
    });
    expect(await changed).toBe('hidden');
  });

  it('goes on after a change that could not be followed', async () => {
    await start(async (id) => {
      events.emit('change', id);
      throw new Error(`cannot follow ${id}`);
    });
    const failed = once(events, 'failure');
    await changeAfter(() => writeFile(join(dir, 'shop/b.md'), 'Two.'));
    expect(await failed).toMatchObject([{ message: 'cannot follow shop' }]);
    expect(await changeAfter(() => writeFile(join(dir, 'shop/c.md'), 'Three.'))).toBe('shop');
  });

  it('calls nothing once it is closed', async () => {
    let finish: () => void = () => undefined;
    const seen: string[] = [];
    await start(async (id) => {
      seen.push(id);
      events.emit('change', id);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    });
    await changeAfter(() => writeFile(join(dir, 'shop/b.md'), 'Two.'));
    const closing = watch?.close();
    finish();
    await closing;
    await writeFile(join(dir, 'shop/c.md'), 'Three.');
    expect(seen).toEqual(['shop']);
  });
});
