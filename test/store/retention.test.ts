import { expect, it } from 'vitest';
import { keepRetention } from '../../src/store/retention.js';
import { silentLogger } from '../support/silent-logger.js';

it('Conversations older than their days go at start; without a number of days nothing does', async () => {
  const asked: unknown[] = [];
  const store = { deleteConversations: async (which: unknown) => asked.push(which) };
  const now = (): number => Date.parse('2026-11-26T12:00:00.000Z');
  keepRetention({ store, days: undefined, logger: silentLogger, now })();
  keepRetention({ store, days: 30, logger: silentLogger, now })();
  expect(asked).toEqual([{ quietSince: '2026-10-27T12:00:00.000Z' }]);
});
