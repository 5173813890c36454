import { afterEach, expect, test } from 'vitest';
import { createEnginePools, type EnginePools, packingRules } from '../../src/inference/engine-pools.js';

let pools: EnginePools;
const start = (modelBytes: number, cpuThreads: number): EnginePools => {
  pools = createEnginePools({ modelBytes, cpuThreads, onDeath: () => undefined });
  return pools;
};
afterEach(() => pools.keepOnly([]));

test('each core has a session of one thread while memory allows, else fewer sessions have more threads each', () => {
  expect(start(1e6, 3).pool('cpu')).toMatchObject({ threadsPerSession: 1 });
  expect(pools.pool('cpu').slots).toHaveLength(3);
  pools.keepOnly([]);
  expect(start(1e15, 3).pool('cpu')).toMatchObject({ threadsPerSession: 3 });
  expect(pools.pool('cpu').slots).toHaveLength(1);
});

test('a graphics device has one session', () => {
  expect(start(1, 4).pool('webgpu').slots).toHaveLength(1);
});

test('devices that are not in use lose their threads', () => {
  start(1, 1).pool('cpu');
  pools.pool('webgpu');
  pools.keepOnly(['cpu', null]);
  expect(Object.keys(pools.counts())).toEqual(['cpu']);
});

test('a sequence goes alone where its neighbours would change its score', () => {
  expect(packingRules('cpu', 'int8').maxSequences).toBe(1);
  expect(packingRules('cpu', 'fp32').maxSequences).toBeGreaterThan(1);
  expect(packingRules('webgpu', 'fp16').lengthStep).toBeGreaterThan(1);
});
