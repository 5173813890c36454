import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { AppError } from '../errors.js';
import type { TokenReader } from './authenticator.js';
import type { KeyStore } from './key-store.js';
import type { IssueVisitorToken } from './visitor-token.js';

const ISSUER = 'askbase';
const AUDIENCE = 'askbase-visitor';
const ALGORITHM = 'HS256';

const claimsSchema = z.object({
  sub: z.string(),
  /** Id of the key that asked for the token. */
  key: z.string(),
  knowledgeBases: z.array(z.string()),
  origins: z.array(z.string()),
});

export interface VisitorTokensOptions {
  /** Shared by all servers that take each other's tokens; 32 characters at least. */
  secret: () => Promise<string>;
  keys: Pick<KeyStore, 'readKey'>;
}

/** Tokens for widgets: signed by us (HS256), bound to pages, in force no longer than the key behind them. */
export function createVisitorTokens({ secret, keys }: VisitorTokensOptions): TokenReader & {
  issue: IssueVisitorToken;
} {
  let known: Uint8Array | undefined;
  const signingKey = async (): Promise<Uint8Array> => {
    known ??= new TextEncoder().encode(await secret());
    return known;
  };

  const verify = async (token: string): Promise<z.output<typeof claimsSchema> | undefined> => {
    const key = await signingKey();
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['exp', 'sub'],
      });
      return claimsSchema.parse(payload);
    } catch (thrown) {
      if (thrown instanceof errors.JWTExpired) {
        throw new AppError('unauthorized', 'The token has expired.', { cause: thrown });
      }
      return undefined;
    }
  };

  return {
    async issue({ visitorId, knowledgeBases, origins, lifetimeSeconds }, { client }) {
      const expiresAt = Math.floor(Date.now() / 1000) + lifetimeSeconds;
      const token = await new SignJWT({ key: client.replace(/^key:/, ''), knowledgeBases, origins })
        .setProtectedHeader({ alg: ALGORITHM })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(visitorId)
        .setIssuedAt()
        .setExpirationTime(expiresAt)
        .sign(await signingKey());
      return { token, expiresAt: new Date(expiresAt * 1000).toISOString() };
    },
    async read(token, origin) {
      const claims = await verify(token);
      if (claims === undefined) return undefined;
      const key = await keys.readKey(claims.key);
      if (key === undefined || key.revokedAt !== undefined) throw new AppError('unauthorized');
      if (origin !== undefined && !claims.origins.includes(origin)) {
        throw new AppError('forbidden', 'This token is for other pages.');
      }
      const bound = key.knowledgeBases;
      return {
        client: `visitor:${claims.sub}`,
        kind: 'visitor',
        owner: `visitor:${key.tenant}:${claims.sub}`,
        scopes: new Set(['ask']),
        knowledgeBases: new Set(claims.knowledgeBases.filter((id) => bound === 'all' || bound.includes(id))),
      };
    },
  };
}
