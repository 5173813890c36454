import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** `ask_`, eight bytes that name the key (hex), `_`, 32 random bytes that prove it (base64url). */
const API_KEY = /^ask_([0-9a-f]{16})_([\w-]{43})$/;

/** A new key: the text its holder keeps, and what is stored of it. */
export function makeApiKey(): { id: string; key: string; secretHash: string } {
  const id = randomBytes(8).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  return { id, key: `ask_${id}_${secret}`, secretHash: hashSecret(secret) };
}

/** Undefined where the text is no API key. */
export function parseApiKey(text: string): { id: string; secret: string } | undefined {
  const [, id, secret] = API_KEY.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** Takes as long for a wrong secret as for the right one. */
export function matchesHash(secret: string, secretHash: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(secret), 'hex'), Buffer.from(secretHash, 'hex'));
}

/** SHA-256, hex: 256 random bits need no slow hash. */
function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
