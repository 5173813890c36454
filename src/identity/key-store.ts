import type { Scope } from './identity.js';

/** An API key as it is kept: its secret is known by a hash only. */
export interface StoredKey {
  /** What names the key; `ask_<id>` is shown of it. */
  id: string;
  /** SHA-256 of the secret, hex. */
  secretHash: string;
  /** What the key is for, in its maker's words. */
  name: string;
  /** Keys of one tenant share their conversations. */
  tenant: string;
  scopes: Scope[];
  knowledgeBases: string[] | 'all';
  createdAt: string;
  /** Absent: in force. */
  revokedAt?: string;
}

/** API keys. What a method acknowledged survives kill -9. */
export interface KeyStore {
  writeKey(key: StoredKey): Promise<void>;
  /** Revoked ones too. */
  readKey(id: string): Promise<StoredKey | undefined>;
  /** Oldest first, revoked ones too. */
  listKeys(): Promise<StoredKey[]>;
  /** False where there is none of that id, or it was revoked before. */
  revokeKey(id: string, at: string): Promise<boolean>;
  /** The secret of that name: made at its first reading, the same for every reader from then on. */
  readSecret(name: string): Promise<string>;
}
