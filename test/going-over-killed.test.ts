import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import type { RunningCommand } from './support/command.js';
import { createInstallation, type Installation } from './support/installation.js';
import { hasQdrant, NO_QDRANT, startQdrant } from './support/qdrant-server.js';
import { TINY_EMBEDDER } from './support/tiny-models.js';

// Three starts of the server, each of which loads everything anew.
vi.setConfig({ testTimeout: 600_000 });

const FILES = 800;
const KILLED_AFTER = 60;

/** Another model to the index and to the vectors: it reads every passage behind a word of its own. */
function addSecondModel(dir: string): void {
  cpSync(join(dir, 'models', TINY_EMBEDDER), join(dir, 'models', 'second'), { recursive: true });
  const manifest = join(dir, 'models', 'second', 'manifest.json');
  const changed = {
    ...JSON.parse(readFileSync(manifest, 'utf8')),
    name: 'second',
    passagePrefix: 'xylophone ',
  };
  writeFileSync(manifest, JSON.stringify(changed));
}

/** What a search gives, passage by passage: the dense score tells which model made the vector. */
async function search(url: string): Promise<string[]> {
  const reply = await fetch(`${url}/v1/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ knowledgeBase: 'shop', query: 'How many litres does the kettle hold?' }),
  });
  const { candidates, degraded } = (await reply.json()) as {
    candidates: { passage: { text: string }; scores: { dense?: { score: number } } }[];
    degraded: string[];
  };
  expect(degraded).toEqual([]);
  return candidates.map(({ passage, scores }) => `${passage.text} ${scores.dense?.score.toFixed(4)}`).sort();
}

async function readiness(url: string): Promise<{ ready: boolean; madeAgain?: string }> {
  const { dependencies } = (await (await fetch(`${url}/readyz`)).json()) as {
    dependencies: { knowledge: { ready: boolean; madeAgain?: string } };
  };
  return dependencies.knowledge;
}

async function listening(server: RunningCommand): Promise<string> {
  const [, url = ''] = await server.writes(/listens on (http:\/\/localhost:\d+)/);
  return url;
}

async function end(server: RunningCommand, signal: NodeJS.Signals): Promise<void> {
  server.child.kill(signal);
  await server.finished;
}

async function goOverKilled(installation: Installation, more: Record<string, string>): Promise<void> {
  const env = { ...more, REQUESTS_PER_MINUTE: '1000000' };
  addSecondModel(installation.dir);
  const first = installation.serve(env);
  const firstUrl = await listening(first);
  await first.writes(/knowledge folder is indexed/);
  const before = await search(firstUrl);
  expect(before).toHaveLength(50);
  await end(first, 'SIGTERM');

  const seen: string[][] = [];
  const withSecond = { ...env, EMBED_MODEL: 'second' };
  const killed = installation.serve(withSecond);
  const killedUrl = await listening(killed);
  let isTooLate = false;
  killed.writes(/knowledge folder is indexed/).then(
    () => {
      isTooLate = true;
    },
    () => undefined,
  );
  while (!(await readiness(killedUrl)).ready) await nextTurn();
  for (let done = 0; done < KILLED_AFTER; ) {
    if (isTooLate) throw new Error('It was over before it could be killed.');
    seen.push(await search(killedUrl));
    const { madeAgain } = await readiness(killedUrl);
    done = Number(/^\d+/.exec(madeAgain ?? '')?.[0] ?? 0);
  }
  await end(killed, 'SIGKILL');
  expect(seen.length).toBeGreaterThan(0);

  const goneOn = installation.serve(withSecond);
  const url = await listening(goneOn);
  while (!(await readiness(url)).ready) await nextTurn();
  let isOver = false;
  const over = goneOn.writes(/knowledge folder is indexed.*unchanged\D+(\d+)/).then(([, unchanged]) => {
    isOver = true;
    return Number(unchanged);
  });
  while (!isOver) seen.push(await search(url));
  // What was made again before is not made again.
  expect(await over).toBeGreaterThanOrEqual(KILLED_AFTER);
  const after = await search(url);
  await end(goneOn, 'SIGTERM');

  expect(after).toHaveLength(50);
  expect(after).not.toEqual(before);
  const searched = seen.map((found) => {
    if (found.join() === before.join()) return 'before';
    return found.join() === after.join() ? 'after' : 'a mixture';
  });
  expect(searched[0]).toBe('before');
  expect(searched).toEqual([...searched].sort().reverse());
  expect(searched).not.toContain('a mixture');
}

const KETTLES = Object.fromEntries(
  Array.from({ length: FILES }, (_, number) => [
    `knowledge/shop/${number}.md`,
    `The kettle ${number} holds ${number} litres.`,
  ]),
);

it('goes on after kill -9 in the middle of going over to another model; no search meets a mixture', async () => {
  const installation = createInstallation(KETTLES);
  try {
    await goOverKilled(installation, {});
  } finally {
    installation.remove();
  }
});

it.skipIf(!hasQdrant)(
  'does so with Qdrant; the old collection goes only when the alias has gone over',
  async () => {
    const installation = createInstallation(KETTLES);
    const server = await startQdrant();
    const collection = `kettles-${process.pid}`;
    const collections = async (): Promise<string[]> => {
      const { result } = (await (await fetch(`${server.url}/collections`)).json()) as {
        result: { collections: { name: string }[] };
      };
      return result.collections.map(({ name }) => name).filter((name) => name.startsWith(collection));
    };
    try {
      await goOverKilled(installation, { QDRANT_URL: server.url, QDRANT_COLLECTION: collection });
      expect(await collections()).toHaveLength(1);
    } finally {
      await server.close();
      installation.remove();
    }
  },
);
if (!hasQdrant) it.skip(NO_QDRANT, () => undefined);
