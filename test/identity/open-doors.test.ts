import { describe, expect, it } from 'vitest';
import { refuseOpenDoors } from '../../src/doors.js';
import { createAuthenticator } from '../../src/identity/authenticator.js';
import { LOCAL_IDENTITY } from '../../src/identity/identity.js';
import type { StoredKey } from '../../src/identity/key-store.js';

const KEY: StoredKey = {
  id: '0123456789abcdef',
  secretHash: '00'.repeat(32),
  name: 'shop',
  tenant: 'shop',
  scopes: ['ask'],
  knowledgeBases: 'all',
  createdAt: '2026-01-01T00:00:00.000Z',
};
const keysOf = (...stored: StoredKey[]) => ({
  listKeys: async () => stored,
  readKey: async (id: string) => stored.find((key) => key.id === id),
});

describe('a server that anybody in the network could reach', () => {
  it.each(['0.0.0.0', '::', '192.168.1.20', 'askbase.example'])(
    'does not start on %s without keys',
    async (host) => {
      await expect(refuseOpenDoors({ auth: 'auto', host }, keysOf())).rejects.toMatchObject({
        code: 'forbidden',
        message: expect.stringMatching(/askbase keys create.*AUTH=off/),
      });
    },
  );

  it('starts with a key, with an identity provider, or where it is told so', async () => {
    const host = '0.0.0.0';
    await refuseOpenDoors({ auth: 'auto', host }, keysOf(KEY));
    const identityProvider = { jwksUrl: 'https://id.example/jwks', issuer: 'i', audience: 'a' };
    await refuseOpenDoors({ auth: 'auto', host, identityProvider }, keysOf());
    await refuseOpenDoors({ auth: 'off', host }, keysOf());
    await refuseOpenDoors({ auth: 'required', host }, keysOf());
  });

  it.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('is not one on %s', async (host) => {
    await refuseOpenDoors({ auth: 'auto', host }, keysOf());
  });
});

describe('an authenticator', () => {
  const nobody = { token: undefined, origin: undefined };

  it('lets everybody in until there is a key, also with a token that OpenAI clients must send', async () => {
    const stored: StoredKey[] = [];
    const { authenticate } = createAuthenticator({
      mode: 'auto',
      keys: { ...keysOf(), listKeys: async () => stored },
      tokens: [],
      hasProvider: false,
    });
    expect(await authenticate(nobody)).toBe(LOCAL_IDENTITY);
    expect(await authenticate({ token: 'none', origin: undefined })).toBe(LOCAL_IDENTITY);
    stored.push(KEY);
    await expect(authenticate(nobody)).rejects.toMatchObject({ code: 'unauthorized' });
    // A door that has been shut does not open when the keys go.
    stored.pop();
    await expect(authenticate(nobody)).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('that is required asks for a key before there is one', async () => {
    const { authenticate } = createAuthenticator({
      mode: 'required',
      keys: keysOf(),
      tokens: [],
      hasProvider: false,
    });
    await expect(authenticate(nobody)).rejects.toMatchObject({ code: 'unauthorized' });
  });
});
