import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !/^(?:page|client)\//.test(file))
  .map((file) => [file, readFileSync(join(SRC, file), 'utf8')] as const);

/** All that opens connections, and where its address comes from: settings and the command line, never a request. */
const OUTBOUND = new Set([
  'answer/undici-fetch.ts', // OPENAI_BASE_URL
  'answer/openai-chat-model.ts',
  'retrieve/openai-embedder.ts',
  'rerank/http-reranker.ts', // RERANK_URL
  'retrieve/qdrant-collection.ts', // QDRANT_URL
  'retrieve/qdrant-requests.ts',
  'inference/hub-download.ts', // HF_ENDPOINT, by `askbase models pull`
  'identity/jose-provider-tokens.ts', // JWT_JWKS_URL
]);
const OPENS =
  /\bfetch\(|createRemoteJWKSet|new OpenAI\(|QdrantClient|from '(?:undici|node:(?:net|tls|dgram|http2))'|\b(?:http|https)\.(?:get|request)\(/;

describe('The server', () => {
  it('fetches no address that a request or a document names: only settings say where it connects to', () => {
    expect(files.length).toBeGreaterThan(150);
    const opening = files.filter(([, source]) => OPENS.test(source.replace(/^import type.*$/gm, '')));
    const unknown = opening.map(([file]) => file).filter((file) => !OUTBOUND.has(file));
    // `doors.ts` asks node:net whether an address is one of this machine.
    expect(unknown.filter((file) => !['doors.ts', 'app.ts', 'readiness.ts'].includes(file))).toEqual([]);
    expect(opening.length).toBeGreaterThan(3);
  });
});
