import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.js';
import { createGroupCommit } from '../../src/retrieve/group-commit.js';

/** Commits that end when they are told to. */
function createCommits() {
  const groups: number[][] = [];
  const ends: ((thrown?: Error) => void)[] = [];
  const group = createGroupCommit<number, string>({
    commit: (changes) => {
      groups.push([...changes]);
      return new Promise((resolve, reject) => {
        ends.push((thrown) => (thrown === undefined ? resolve(changes.map(String)) : reject(thrown)));
      });
    },
    sizeOf: (change) => change,
    maxSize: 10,
  });
  const end = async (thrown?: Error): Promise<void> => {
    ends.shift()?.(thrown);
    await new Promise(setImmediate);
  };
  return { groups, group, end };
}

test('commits together what came while others were being committed, in order, as far as it fits', async () => {
  const { groups, group, end } = createCommits();
  const first = group.add(1);
  await new Promise(setImmediate);
  const others = [4, 3, 2, 5, 20, 1].map((change) => group.add(change));
  const settled = group.settled();
  expect(groups).toEqual([[1]]);
  for (let round = 0; round < 5; round += 1) await end();
  expect(groups).toEqual([[1], [4, 3, 2], [5], [20], [1]]);
  expect(await first).toBe('1');
  expect(await Promise.all(others)).toEqual(['4', '3', '2', '5', '20', '1']);
  await settled;
});

test('a group that fails fails for each of it, and the next one is tried', async () => {
  const { group, end } = createCommits();
  const both = [group.add(1), group.add(2)].map((one) => one.catch((thrown: Error) => thrown.message));
  await new Promise(setImmediate);
  const next = group.add(3);
  await end(new AppError('unavailable', 'The disk is full.'));
  expect(await Promise.all(both)).toEqual(['The disk is full.', 'The disk is full.']);
  await end();
  expect(await next).toBe('3');
});

test('leaves out what was stopped before its turn', async () => {
  const { groups, group, end } = createCommits();
  const stopping = new AbortController();
  void group.add(1);
  await new Promise(setImmediate);
  const stopped = expect(group.add(2, { signal: stopping.signal })).rejects.toMatchObject({
    code: 'stopped',
  });
  stopping.abort();
  await end();
  await stopped;
  await group.settled();
  const again = group.add(3);
  await new Promise(setImmediate);
  await end();
  expect(await again).toBe('3');
  expect(groups).toEqual([[1], [3]]);
});
