import { expect, it } from 'vitest';
import { startTestApp } from '../support/app.js';
import { fuzzServer } from './fuzz-server.js';

it('Whatever fits a schema, or nearly, is answered in the stated shape; `npm run fuzz` goes on for minutes', async () => {
  const running = await startTestApp({ env: { REQUESTS_PER_MINUTE: '1000000' } });
  try {
    const report = await fuzzServer({ url: running.url, seed: 20261126, requests: 400 });
    expect(report.faults).toEqual([]);
    expect(report.requests).toBeGreaterThan(200);
    expect(report.events).toBeGreaterThan(30);
    expect(Object.keys(report.outcomes)).toEqual(expect.arrayContaining(['200', '400', '404', 'event ok']));
  } finally {
    await running.close();
  }
}, 600_000);
