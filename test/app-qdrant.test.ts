import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from './support/app.js';
import { NO_QDRANT, QDRANT_BINARY, type QdrantServer, startOwnQdrant } from './support/qdrant-server.js';
import { silentLogger } from './support/silent-logger.js';

const QUESTION = { knowledgeBase: 'shop', text: 'How many days do I have to return an item?' };

if (QDRANT_BINARY === undefined) it.skip(NO_QDRANT, () => undefined);

describe.skipIf(QDRANT_BINARY === undefined)('the app on Qdrant', () => {
  let qdrant: QdrantServer;
  let running: TestApp;
  beforeAll(async () => {
    qdrant = await startOwnQdrant();
    running = await startTestApp({ env: { QDRANT_URL: qdrant.url } });
  });
  afterAll(async () => {
    await running?.close();
    await qdrant?.close();
  });

  it('answers as it does on the embedded index', async () => {
    const embedded = await startTestApp();
    try {
      const ask = (url: string) => request(url).post('/v1/answers').send(QUESTION).expect(200);
      const [onQdrant, onSqlite] = [await ask(running.url), await ask(embedded.url)];
      expect(onQdrant.body).toMatchObject({ status: 'answered', degraded: [] });
      expect(onQdrant.body.text).toBe(onSqlite.body.text);
      const ids = ({ sources }: { sources: { passageId: string }[] }) =>
        sources.map(({ passageId }) => passageId);
      expect(ids(onQdrant.body)).toEqual(ids(onSqlite.body));
    } finally {
      await embedded.close();
    }
  });

  it('starts before Qdrant does, and reads its knowledge when Qdrant is there', async () => {
    await qdrant.kill();
    let noticed: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      noticed = resolve;
    });
    const logger = {
      ...silentLogger,
      warn: (message: string) => {
        if (message.includes('waits for it')) noticed();
      },
    };
    const starting = startTestApp({ env: { QDRANT_URL: qdrant.url, QDRANT_COLLECTION: 'late' }, logger });
    await waiting;
    await qdrant.restart();
    const late = await starting;
    try {
      const { body } = await request(late.url).post('/v1/answers').send(QUESTION).expect(200);
      expect(body.status).toBe('answered');
    } finally {
      await late.close();
    }
  });

  it('says that it cannot look while Qdrant is gone, and answers again when it is back', async () => {
    await qdrant.kill();
    const { body } = await request(running.url).post('/v1/answers').send(QUESTION).expect(200);
    expect(body).toMatchObject({ status: 'no-answer', reason: 'dependency-down', degraded: ['retrieve'] });
    const readiness = await request(running.url).get('/readyz').expect(503);
    expect(readiness.body.dependencies.index).toMatchObject({ ready: false, engine: 'qdrant' });

    await qdrant.restart();
    await expect
      .poll(async () => (await request(running.url).post('/v1/answers').send(QUESTION)).body.status, {
        timeout: 60_000,
      })
      .toBe('answered');
    await request(running.url).get('/readyz').expect(200);
  });
});
