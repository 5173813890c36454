import { isIP } from 'node:net';
import type { Config } from './config.js';
import { AppError } from './errors.js';
import { type Authenticator, createAuthenticator } from './identity/authenticator.js';
import { createProviderTokens } from './identity/jose-provider-tokens.js';
import { createVisitorTokens } from './identity/jose-visitor-tokens.js';
import type { KeyStore } from './identity/key-store.js';
import type { IssueVisitorToken } from './identity/visitor-token.js';

/** Who may come in, by the settings. */
export function createDoors(
  { auth, tokenSecret, identityProvider }: Config,
  keys: KeyStore,
): { authenticator: Authenticator; issueVisitorToken: IssueVisitorToken } {
  // Asked for where it is needed: the store may not be reachable yet.
  const secret = async (): Promise<string> => tokenSecret ?? keys.readSecret('visitor-tokens');
  const visitorTokens = createVisitorTokens({ secret, keys });
  const providers = identityProvider === undefined ? [] : [createProviderTokens(identityProvider)];
  return {
    authenticator: createAuthenticator({
      mode: auth,
      keys,
      tokens: [visitorTokens, ...providers],
      hasProvider: providers.length > 0,
    }),
    issueVisitorToken: visitorTokens.issue,
  };
}

/** Throws AppError `forbidden` where anybody in the network could come in, unless the settings say so explicitly. */
export async function refuseOpenDoors(
  { auth, host, identityProvider }: Pick<Config, 'auth' | 'host' | 'identityProvider'>,
  keys: Pick<KeyStore, 'listKeys'>,
): Promise<void> {
  if (auth !== 'auto' || isLoopback(host) || identityProvider !== undefined) return;
  if ((await keys.listKeys()).length > 0) return;
  throw new AppError(
    'forbidden',
    `${host} can be reached by others, and there is no key yet: make one with \`askbase keys create\`, ` +
      'set JWT_JWKS_URL, listen on 127.0.0.1, or set AUTH=off to let everybody in.',
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
