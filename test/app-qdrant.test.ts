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
    const host = new URL(qdrant.url).host;
    await expect
      .poll(async () => (await request(running.url).get('/readyz')).body.dependencies.index.circuits[host], {
        timeout: 60_000,
      })
      .toBe('open');
    const { text } = await request(running.url).get('/metrics');
    expect(text).toContain(`askbase_circuit_state{service="${host}",state="closed"} 0`);

    await qdrant.restart();
    await expect
      .poll(async () => (await request(running.url).post('/v1/answers').send(QUESTION)).body.status, {
        timeout: 60_000,
      })
      .toBe('answered');
    await expect
      .poll(async () => (await request(running.url).get('/readyz')).status, { timeout: 60_000 })
      .toBe(200);
  });

  it('goes on with the knowledge folder and takes uploads again when a Qdrant killed in the middle is back', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 30 }, (_, number) => [
        `shop/en/${number}.md`,
        `# Page ${number}\n\nKettle ${number}.`,
      ]),
    );
    let waits = 0;
    let killed = false;
    const starting = startTestApp({
      env: { QDRANT_URL: qdrant.url, QDRANT_COLLECTION: 'killed' },
      knowledge: files,
      logger: {
        ...silentLogger,
        warn: (message) => {
          if (message.includes('waits for it')) waits += 1;
        },
      },
      onProgress: ({ done }) => {
        if (done !== 10 || killed) return;
        killed = true;
        void qdrant.kill();
      },
    });
    await expect.poll(() => waits, { timeout: 60_000 }).toBeGreaterThan(0);
    await qdrant.restart();
    const app = await starting;
    try {
      const path = '/v1/knowledge-bases/shop/documents';
      expect((await request(app.url).get(path).expect(200)).body.documents).toHaveLength(30);

      const upload = (name: string) =>
        request(app.url)
          .post(path)
          .attach('files', Buffer.from(`# ${name}\n\nThe lamp has 40 watts.`), `${name}.md`);
      await upload('before').expect(200);
      await qdrant.kill();
      const refused = await upload('during').expect(503);
      expect(refused.body.error).toMatchObject({ code: 'unavailable', retryable: true });
      await qdrant.restart();
      await expect
        .poll(async () => (await upload('during')).body.results?.[0]?.status, { timeout: 60_000 })
        .toBe('added');
      const { documents } = (await request(app.url).get(path).expect(200)).body;
      const ids = documents.map(({ documentId }: { documentId: string }) => documentId);
      expect(ids).toEqual(expect.arrayContaining(['before.md', 'during.md']));
    } finally {
      await app.close();
    }
  });
});
