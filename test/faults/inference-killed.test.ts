import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startTestApp } from '../support/app.js';
import { describeOutcome, lostMessages, startLoad } from './load.js';

/** The inference process of this process's app. */
function findInferenceProcess(): number {
  const found = readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const parent = / \) \S (\d+) |\) \S (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      const isOurs = Number(parent?.[1] ?? parent?.[2]) === process.pid;
      return isOurs && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('engine-process');
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error('there is no inference process');
  return Number(found);
}

test('an inference process that is killed under load costs no question', async ({ annotate }) => {
  const open = 'questions=100000,tokens=100000000,answers=1000';
  const { url, close } = await startTestApp({ env: { LIMIT_PER_SOCKET: open, LIMIT_PER_ADDRESS: open } });
  const load = startLoad({ url });
  for (let round = 1; round <= 3; round += 1) {
    await load.completed(20 * round);
    process.kill(findInferenceProcess(), 'SIGKILL');
  }
  await load.completed(90);
  const outcome = await load.finish();
  expect(outcome.lost).toEqual([]);
  const codes = Object.keys(outcome.refused);
  expect(codes.filter((code) => code !== 'unavailable' && code !== 'overloaded')).toEqual([]);
  expect(await lostMessages(url, outcome.acknowledged)).toEqual([]);
  await annotate(`inference process killed three times under load: ${describeOutcome(outcome)}`);
  await close();
});
