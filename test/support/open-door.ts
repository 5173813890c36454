import type { Authenticator } from '../../src/identity/authenticator.js';
import { LOCAL_IDENTITY } from '../../src/identity/identity.js';

/** Lets everybody in with every right, as a server without keys on loopback does. */
export const openDoor: Authenticator = { authenticate: async () => LOCAL_IDENTITY };
