import type { IncomingMessage } from 'node:http';
import { AppError } from '../errors.js';
import { type Authenticator, bearerToken } from '../identity/authenticator.js';
import { type Identity, requireScope, type Scope } from '../identity/identity.js';

const identities = new WeakMap<IncomingMessage, Identity>();

/** Who sent a request that `identify` has let through. Throws `unauthorized` for one that it has not seen. */
export function identityOf(request: IncomingMessage): Identity {
  const identity = identities.get(request);
  if (identity === undefined) throw new AppError('unauthorized');
  return identity;
}

type Middleware = (request: IncomingMessage, response: unknown, next: () => void) => void | Promise<void>;

/** Lets a request through with the identity of its sender; throws what `authenticate` throws. */
export function identify(authenticator: Authenticator): Middleware {
  return async (request, _response, next) => {
    const { authorization, origin } = request.headers;
    identities.set(request, await authenticator.authenticate({ token: bearerToken(authorization), origin }));
    next();
  };
}

/** Before a route: throws `forbidden` where the sender has none of the scopes. */
export function needs(...anyOf: Scope[]): Middleware {
  return (request, _response, next) => {
    requireScope(identityOf(request), anyOf);
    next();
  };
}
