import { AppError } from '../errors.js';
import { matchesHash, parseApiKey } from './api-key.js';
import { type Identity, LOCAL_IDENTITY } from './identity.js';
import type { KeyStore, StoredKey } from './key-store.js';

/** What a request shows of its sender. */
export interface Credentials {
  /** API key, visitor token or token of an identity provider; undefined where none was sent. */
  token: string | undefined;
  /** The page a browser sends from; undefined elsewhere. */
  origin: string | undefined;
}

export interface Authenticator {
  /** Throws AppError `unauthorized`, `forbidden` (a visitor token from another page) or `unavailable`. */
  authenticate(credentials: Credentials): Promise<Identity>;
}

/** Tokens of one kind. */
export interface TokenReader {
  /** Undefined where the token is of another kind; throws AppError `unauthorized` where it is not valid. */
  read(token: string, origin: string | undefined): Promise<Identity | undefined>;
}

export interface AuthenticatorOptions {
  /** `required`: always. `off`: never. `auto`: from the first key or the first configured identity provider on. */
  mode: 'auto' | 'required' | 'off';
  keys: Pick<KeyStore, 'readKey' | 'listKeys'>;
  /** Tried in this order. */
  tokens: readonly TokenReader[];
  /** Whether tokens of an identity provider are taken. */
  hasProvider: boolean;
}

/** A key that nobody has: looking up a key that is not there takes as long. */
const NO_HASH = '00'.repeat(32);

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { mode, keys, tokens, hasProvider } = options;
  let closed = mode === 'required' || hasProvider;
  /** Once a key was made the door stays shut, also when all keys are revoked. */
  const isClosed = async (): Promise<boolean> => {
    closed ||= (await keys.listKeys()).length > 0;
    return closed;
  };

  return {
    async authenticate({ token, origin }) {
      if (mode === 'off' || !(await isClosed())) return LOCAL_IDENTITY;
      if (token === undefined) throw new AppError('unauthorized');
      const presented = parseApiKey(token);
      if (presented !== undefined) {
        const key = await keys.readKey(presented.id);
        const proven = matchesHash(presented.secret, key?.secretHash ?? NO_HASH);
        if (key === undefined || !proven || key.revokedAt !== undefined) throw new AppError('unauthorized');
        return identityOfKey(key);
      }
      for (const reader of tokens) {
        const identity = await reader.read(token, origin);
        if (identity !== undefined) return identity;
      }
      throw new AppError('unauthorized');
    },
  };
}

function identityOfKey({ id, tenant, scopes, knowledgeBases }: StoredKey): Identity {
  return {
    client: `key:${id}`,
    kind: 'key',
    owner: `tenant:${tenant}`,
    scopes: new Set(scopes),
    knowledgeBases: knowledgeBases === 'all' ? 'all' : new Set(knowledgeBases),
  };
}

/** `Bearer <token>`; undefined where there is no such header. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +([\w.~+/=-]+) *$/i.exec(authorization ?? '')?.[1];
}
