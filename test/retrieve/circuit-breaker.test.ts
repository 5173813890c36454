import { beforeEach, expect, test } from 'vitest';
import { AppError } from '../../src/errors.js';
import { type CircuitBreaker, createCircuitBreaker } from '../../src/retrieve/circuit-breaker.js';

let now: number;
let calls: number;
let circuit: CircuitBreaker;
beforeEach(() => {
  now = 0;
  calls = 0;
  circuit = createCircuitBreaker({
    judge: (thrown) => (thrown as { verdict: 'down' | 'there' | 'unknown' }).verdict,
    failures: 3,
    pauseMs: 1000,
    now: () => now,
  });
});

const succeed = () =>
  circuit.run(async () => {
    calls += 1;
    return 'done';
  });
const fail = (verdict: 'down' | 'there' | 'unknown') =>
  circuit
    .run(async () => {
      calls += 1;
      throw Object.assign(new Error(verdict), { verdict });
    })
    .catch((thrown: unknown) => thrown);
const open = async (): Promise<void> => {
  for (let failure = 0; failure < 3; failure += 1) await fail('down');
};

test('passes results and failures on, and stays closed while failures do not come in a row', async () => {
  expect(await succeed()).toBe('done');
  for (let round = 0; round < 5; round += 1) {
    expect(await fail('down')).toMatchObject({ message: 'down' });
    await fail('down');
    await succeed();
  }
  expect(circuit.state).toBe('closed');
});

test('refuses calls at once after some failures in a row, saying when to come back', async () => {
  await open();
  expect(circuit).toMatchObject({ state: 'open', waitMs: 1000 });
  const refused = await succeed().catch((thrown: unknown) => thrown);
  expect(refused).toBeInstanceOf(AppError);
  expect(refused).toMatchObject({ code: 'unavailable', retryable: true, retryAfterSeconds: 1 });
  expect(calls).toBe(3);
});

test('lets one call through after the pause, and closes where it succeeds', async () => {
  await open();
  now = 1000;
  expect(circuit.state).toBe('half-open');
  let finish: () => void = () => undefined;
  const probe = circuit.run(
    () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      }),
  );
  expect(circuit.state).toBe('half-open');
  await expect(succeed()).rejects.toMatchObject({ code: 'unavailable' });
  finish();
  await probe;
  expect(circuit.state).toBe('closed');
  expect(await succeed()).toBe('done');
});

test('opens again where the call that was let through fails', async () => {
  await open();
  now = 1500;
  await fail('down');
  expect(circuit).toMatchObject({ state: 'open', waitMs: 1000 });
});

test('closes on a failure that only a living service can give', async () => {
  await open();
  now = 1000;
  await fail('there');
  expect(circuit.state).toBe('closed');
});

test('learns nothing from a call that its caller gave up', async () => {
  await open();
  now = 1000;
  await fail('unknown');
  expect(circuit).toMatchObject({ state: 'half-open', waitMs: 0 });
  await succeed();
  expect(circuit.state).toBe('closed');
});
