import type { Identity } from './identity.js';

/** What a visitor of a web page gets to ask with: bound to knowledge bases and pages, for a short time. */
export interface VisitorGrant {
  /** Conversations belong to the visitor of this id. */
  visitorId: string;
  knowledgeBases: string[];
  /** Pages that may use it, at least one: `https://shop.example`. */
  origins: string[];
  lifetimeSeconds: number;
}

/** Signs a grant. The token ends when its time is over, or when the key that asked for it is revoked. */
export type IssueVisitorToken = (
  grant: VisitorGrant,
  key: Identity,
) => Promise<{ token: string; expiresAt: string }>;
