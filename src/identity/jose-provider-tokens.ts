import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { TokenReader } from './authenticator.js';
import { type Identity, SCOPES, type Scope } from './identity.js';

export interface ProviderTokensOptions {
  jwksUrl: string;
  issuer: string;
  audience: string;
}

/** Signatures that only the provider can make: a shared secret would let everyone who checks also sign. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const JWKS_MS = 3_000;

/**
 * `scope` (words separated by spaces, RFC 8693) or `scp` (a list) names ours, with or without `askbase:` before them;
 * `knowledge_bases` lists ids, or is `*`. What is not said is not granted.
 */
const claimsSchema = z.object({
  sub: z.string().min(1).max(200),
  scope: z.string().optional(),
  scp: z.union([z.string(), z.array(z.string())]).optional(),
  knowledge_bases: z.union([z.literal('*'), z.array(z.string())]).default([]),
});

/** Tokens of an identity provider, checked with the keys it publishes (JWKS). */
export function createProviderTokens({ jwksUrl, issuer, audience }: ProviderTokensOptions): TokenReader {
  const keys = createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: JWKS_MS });
  return {
    async read(token) {
      try {
        const { payload } = await jwtVerify(token, keys, {
          algorithms: ALGORITHMS,
          issuer,
          audience,
          requiredClaims: ['exp', 'sub'],
        });
        return toIdentity(payload);
      } catch (thrown) {
        throw toAppError(thrown);
      }
    },
  };
}

function toIdentity(payload: JWTPayload): Identity {
  const { sub, scope = '', scp = [], knowledge_bases: ids } = claimsSchema.parse(payload);
  const words = [scope, scp].flat().flatMap((text) => text.split(' '));
  const names = words.map((word) => word.replace(/^askbase:/, ''));
  return {
    client: `user:${sub}`,
    kind: 'user',
    owner: `user:${sub}`,
    scopes: new Set(names.filter((name): name is Scope => (SCOPES as readonly string[]).includes(name))),
    knowledgeBases: ids === '*' ? 'all' : new Set(ids),
  };
}

/** A provider that cannot be reached says nothing about the token. */
function toAppError(thrown: unknown): AppError {
  if (thrown instanceof errors.JWTExpired) {
    return new AppError('unauthorized', 'The token has expired.', { cause: thrown });
  }
  const isOurs =
    (thrown instanceof errors.JOSEError && !isUnreachable(thrown)) || thrown instanceof z.ZodError;
  if (isOurs) return new AppError('unauthorized', undefined, { cause: thrown });
  return new AppError('unavailable', 'The identity provider cannot be reached.', { cause: thrown });
}

/** The package's word for a wrong status or no JSON is the bare error. */
function isUnreachable(error: errors.JOSEError): boolean {
  return error instanceof errors.JWKSTimeout || error.code === 'ERR_JOSE_GENERIC';
}
