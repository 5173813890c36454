import { AppError } from '../errors.js';

/** What somebody may do. `admin` includes the others. */
export const SCOPES = ['ask', 'search', 'ingest', 'operate', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who sent a request, and what that one may do and see. */
export interface Identity {
  /** Counts for limits and names the sender in logs: `key:3f9c…`, `visitor:…`, `user:…`, `local`. */
  client: string;
  kind: 'local' | 'key' | 'visitor' | 'user';
  /** Conversations that it starts belong to this owner; without the scope `operate` it sees no others. */
  owner: string;
  scopes: ReadonlySet<Scope>;
  /** Ids; everything else is as if it were not there. */
  knowledgeBases: ReadonlySet<string> | 'all';
}

/** Owner of what was written on a server that asks for no keys. */
export const LOCAL_OWNER = 'local';

/** Whoever reaches a server that asks for no keys. */
export const LOCAL_IDENTITY: Identity = {
  client: 'local',
  kind: 'local',
  owner: LOCAL_OWNER,
  scopes: new Set(SCOPES),
  knowledgeBases: 'all',
};

export function hasScope({ scopes }: Identity, scope: Scope): boolean {
  return scopes.has(scope) || scopes.has('admin');
}

/** Throws AppError `forbidden` where none of the scopes is there; no scopes at all ask for nothing. */
export function requireScope(identity: Identity, anyOf: readonly Scope[]): void {
  if (anyOf.length > 0 && !anyOf.some((scope) => hasScope(identity, scope))) {
    throw new AppError('forbidden', `This needs the scope ${anyOf.join(' or ')}.`);
  }
}

export function seesKnowledgeBase({ knowledgeBases }: Identity, id: string): boolean {
  return knowledgeBases === 'all' || knowledgeBases.has(id);
}

/** Whether a conversation may be read, followed, judged and deleted. */
export function seesConversation(
  identity: Identity,
  { owner, knowledgeBase }: { owner: string; knowledgeBase: string },
): boolean {
  return (
    seesKnowledgeBase(identity, knowledgeBase) && (owner === identity.owner || hasScope(identity, 'operate'))
  );
}
