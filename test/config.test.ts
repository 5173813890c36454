import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config.js';

const ROOT = '/srv/askbase';

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env, ROOT);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('readConfig', () => {
  it('needs nothing: an empty environment gives a loopback server with extractive answers', () => {
    const config = readConfig({}, ROOT);
    expect(config).toMatchObject({ host: '127.0.0.1', port: 3000, dataDir: `${ROOT}/data` });
    expect(config.chat).toBeUndefined();
    expect(config.qdrant).toBeUndefined();
  });

  it('names every wrong variable at once and never shows a value', () => {
    const secret = 'http//sk-very-secret';
    const problems = problemsOf({
      PORT: 'eighty',
      LOG_LEVEL: 'loud',
      QDRANT_URL: secret,
      RERANK_DEVICE: 'tpu',
    });
    expect(problems).toHaveLength(4);
    for (const name of ['PORT', 'LOG_LEVEL', 'QDRANT_URL', 'RERANK_DEVICE']) {
      expect(problems.some((problem) => problem.startsWith(`${name} `))).toBe(true);
    }
    expect(problems.join('\n')).not.toMatch(/secret|eighty|loud|tpu/);
  });

  it('takes an identity provider whole or not at all, and origins as browsers send them', () => {
    expect(problemsOf({ JWT_ISSUER: 'me' })).toEqual([expect.stringContaining('JWT_JWKS_URL')]);
    expect(problemsOf({ ALLOWED_ORIGINS: 'https://shop.example/path' })).toHaveLength(1);
    expect(readConfig({ ALLOWED_ORIGINS: 'https://a.example, https://b.example' }, ROOT)).toMatchObject({
      auth: 'auto',
      allowedOrigins: ['https://a.example', 'https://b.example'],
    });
  });

  it('reads the nodes of a Qdrant cluster and how collections are spread over it, and refuses what is no number', () => {
    const { qdrant } = readConfig(
      { QDRANT_URL: 'http://a:6333, http://b:6333', QDRANT_REPLICAS: '2', QDRANT_WRITE_CONSISTENCY: '' },
      ROOT,
    );
    expect(qdrant).toEqual({
      urls: ['http://a:6333', 'http://b:6333'],
      collection: 'askbase',
      layout: { replicas: 2 },
    });
    expect(problemsOf({ QDRANT_URL: 'http://a:6333,b', QDRANT_SHARDS: '0' })).toEqual([
      'QDRANT_URL must be an http(s) address',
      'QDRANT_SHARDS must be at least 1',
    ]);
  });

  it('treats an empty variable as unset', () => {
    expect(readConfig({ PORT: '', OPENAI_API_KEY: '', QDRANT_URL: '' }, ROOT)).toMatchObject({ port: 3000 });
  });

  it('takes DASHSCOPE_API_KEY alone as Qwen', () => {
    const { chat } = readConfig({ DASHSCOPE_API_KEY: 'k' }, ROOT);
    expect(chat?.baseUrl).toMatch(/dashscope/);
    expect(chat?.models).toEqual(['qwen-plus']);
  });

  it('lets a local server do without a key, and reads several models in order of preference', () => {
    const { chat } = readConfig(
      { OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1', CHAT_MODEL: 'qwen3, llama3 ,' },
      ROOT,
    );
    expect(chat).toMatchObject({ baseUrl: 'http://127.0.0.1:11434/v1', models: ['qwen3', 'llama3'] });
  });

  it('reads prices by model, and refuses what is none', () => {
    const { prices } = readConfig({ CHAT_PRICES: 'gpt-4o-mini=0.15/0.60, qwen-plus=0.8/2' }, ROOT);
    expect(prices).toEqual({
      'gpt-4o-mini': { prompt: 0.15, completion: 0.6 },
      'qwen-plus': { prompt: 0.8, completion: 2 },
    });
    expect(problemsOf({ CHAT_PRICES: 'gpt-4o-mini=cheap' })).toEqual([
      expect.stringContaining('CHAT_PRICES'),
    ]);
  });

  it('tells traces to a collector only where one is set, with the headers it asks for', () => {
    expect(readConfig({ OTEL_EXPORTER_OTLP_HEADERS: 'a=b' }, ROOT).tracing).toBeUndefined();
    const endpoint = 'http://collector:4318';
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x=, y=z',
    };
    expect(readConfig(env, ROOT).tracing).toEqual({
      endpoint,
      headers: { authorization: 'Bearer x=', y: 'z' },
      serviceName: 'askbase',
    });
    for (const wrong of ['secret', 'a=%ff', 'a b=c', 'a=b\u0000']) {
      expect(problemsOf({ OTEL_EXPORTER_OTLP_HEADERS: wrong })).toEqual([
        'OTEL_EXPORTER_OTLP_HEADERS must be name=value, several with commas',
      ]);
    }
  });

  it('reads what a socket, an address and a key may use, and keeps the defaults of what is left out', () => {
    const { shares } = readConfig({ LIMIT_PER_KEY: 'tokens=5, answers=2' }, ROOT).answers;
    expect(shares.key).toEqual({ questionsPerMinute: 600, tokensPerMinute: 5, answersAtOnce: 2 });
    expect(shares.socket).toEqual({ questionsPerMinute: 60, tokensPerMinute: 300_000, answersAtOnce: 4 });
    expect(problemsOf({ LIMIT_PER_KEY: 'answers=none', REDIS_URL: 'http://secret' })).toEqual([
      'REDIS_URL must be a redis(s) address',
      'LIMIT_PER_KEY must look like questions=600,tokens=3000000,answers=64',
    ]);
  });

  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(readConfig({}, ROOT))).toBe(true);
  });

  it('accepts .env.example as it stands, which explains every variable', () => {
    const lines = readFileSync(new URL('../.env.example', import.meta.url), 'utf8').split('\n');
    const env = Object.fromEntries(
      lines
        .filter((line) => /^[A-Z_]+=/.test(line))
        .map((line) => [line.split('=')[0], line.replace(/^[^=]+=/, '')]),
    );
    expect(readConfig(env, ROOT)).toEqual(readConfig({}, ROOT));
    const source = readFileSync(new URL('../src/config.ts', import.meta.url), 'utf8');
    const known = [...source.matchAll(/^ {2}([A-Z_]+): /gm)].map((match) => match[1]);
    expect(known.length).toBeGreaterThan(15);
    expect(known.filter((name) => name !== undefined && !(name in env))).toEqual([]);
  });
});
